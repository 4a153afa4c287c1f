import type { IncomingMessage } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { cookieStore, memoryStore, type SessionsOptions } from 'koa-strata'
import { SessionCookie } from '../../lib/sessions/cookie.ts'
import { Signer } from '../../lib/sessions/signature.ts'
import { DeviceCookie } from '../../lib/users/throttle/device-cookie.ts'
import { handedClock } from '../sessions/stores/setups.ts'
import { directory, startUsersApp } from '../users/app.ts'
import { type Site, Visitor } from './shared-visitor.ts'

const [OLD, NEW] = ['the key that there was, 32 bytes or more', 'the key that there will be, long enough']
const DAY = 86_400_000
const IDLE = 14 * DAY
const ABSOLUTE = 30 * DAY

const BACKEND = directory('local', { alice: {}, bob: {}, carol: {} })

type Store = (now: () => number) => NonNullable<SessionsOptions['store']>

/** The versions that matter when a key goes, on the same sessions, and a clock. */
async function start(t: ExecutionContext, makeStore: Store) {
  const { now, advance } = handedClock()
  const store = makeStore(now)
  const serve = (...keys: string[]): Promise<Site> =>
    startUsersApp(t, {
      ...{ store, now, keys, backends: [BACKEND], idleTimeout: IDLE, absoluteTimeout: ABSOLUTE },
      handlers: {
        '/regenerate': async ctx => {
          await ctx.session.regenerate()
          return ''
        },
      },
    })
  const [signsOld, signsNew, dropped] = [await serve(OLD, NEW), await serve(NEW, OLD), await serve(NEW)]
  return { signsOld, signsNew, dropped, now, advance }
}

async function logIn(site: Site, username: string): Promise<Visitor> {
  const visitor = new Visitor()
  await visitor.get(site, `/login?u=${username}&p=pw`)
  return visitor
}

async function whoIs(visitor: Visitor, site: Site): Promise<string> {
  return (await visitor.get(site, '/me')).json.key
}

const inMemory: Store = now => memoryStore({ now })
const inCookie: Store = now => cookieStore({ epochs: memoryStore({ now }) })

test('X4: S5: absoluteTimeout after the last process that signed with it, the old key can be dropped, and nobody notices; not a moment before.', async t => {
  const { signsOld, signsNew, dropped, advance } = await start(t, inMemory)
  const alice = await logIn(signsOld, 'alice')
  // From here on all processes sign with the new key.
  const bob = await logIn(signsNew, 'bob')
  for (let days = 0; days < 29; days++) {
    advance(DAY)
    t.is(await whoIs(alice, signsNew), 'local:alice', `day ${days}`)
    t.is(await whoIs(bob, signsNew), 'local:bob')
  }
  const carol = await logIn(signsNew, 'carol')
  advance(DAY - 1)
  t.is(await whoIs(alice, signsNew), 'local:alice')
  t.is(await whoIs(alice, dropped), '', 'the control: a millisecond too early')
  advance(1)
  for (const [visitor, key] of [
    [alice, ''],
    [bob, ''],
    [carol, 'local:carol'],
  ] as const) {
    t.is(await whoIs(visitor, dropped), key)
    t.is(await whoIs(visitor, signsNew), key, 'with the key it is no other')
  }
})

test('X4: a new id is signed by the new key: after a login or regenerate() the old one is not needed for that session.', async t => {
  const { signsOld, signsNew, dropped } = await start(t, inMemory)
  const [alice, bob] = [await logIn(signsOld, 'alice'), await logIn(signsOld, 'bob')]
  await alice.get(signsNew, '/regenerate')
  await bob.get(signsNew, '/login?u=bob&p=pw')
  t.is(await whoIs(alice, dropped), 'local:alice')
  t.is(await whoIs(bob, dropped), 'local:bob')
})

test('X4: a key that leaked is dropped at once: whose cookie it has signed is logged out, and nobody else is.', async t => {
  const { signsOld, signsNew, dropped } = await start(t, inMemory)
  const [alice, bob] = [await logIn(signsOld, 'alice'), await logIn(signsNew, 'bob')]
  t.is(await whoIs(alice, dropped), '')
  t.is(await whoIs(bob, dropped), 'local:bob')
})

test('X4: cookieStore() signs anew whenever it sends its data: idleTimeout is enough there, and whoever came meanwhile stays logged in.', async t => {
  const { signsOld, signsNew, dropped, advance } = await start(t, inCookie)
  const [alice, bob] = [await logIn(signsOld, 'alice'), await logIn(signsOld, 'bob')]
  t.is(await whoIs(alice, dropped), '', 'the control: at once it is too early')
  const early = await logIn(signsOld, 'alice')
  advance(IDLE - 1)
  t.is(await whoIs(early, signsNew), 'local:alice')
  advance(1)
  t.is(await whoIs(early, dropped), 'local:alice')
  t.is(await whoIs(bob, dropped), '')
  t.is(await whoIs(bob, signsNew), '', 'with the key it is no other')
})

test('X4: L4: familiarFor after the last process that signed with it, no account knows a browser by the old key any more.', t => {
  const { now, advance } = handedClock()
  const device = (...keys: string[]) =>
    new DeviceCookie(new SessionCookie('test'), new Signer('test', keys), ABSOLUTE, now)
  const sending = (...lines: string[]) =>
    ({ headers: { cookie: lines.map(line => line.split(';')[0]).join('; ') } }) as IncomingMessage
  const first = sending(device(OLD, NEW).line('alice', sending()))
  const knows = (request: IncomingMessage, account: string) =>
    [device(NEW, OLD), device(NEW)].map(one => one.deviceFor(account, request) !== null)
  t.deepEqual(knows(first, 'alice'), [true, false])
  // Somebody else logs in at this browser: what it knows of alice stays as it was signed.
  const both = sending(device(NEW, OLD).line('bob', first))
  t.deepEqual(
    [knows(both, 'alice'), knows(both, 'bob')],
    [
      [true, false],
      [true, true],
    ],
  )
  advance(ABSOLUTE - 1)
  t.deepEqual(knows(both, 'alice'), [true, false], 'the control: a millisecond too early')
  const again = sending(device(NEW, OLD).line('alice', both))
  advance(1)
  t.deepEqual(knows(both, 'alice'), [false, false])
  t.deepEqual(knows(again, 'alice'), [true, true], 'but who logged in meanwhile')
})
