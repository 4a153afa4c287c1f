import test, { type ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import { type CookieOptions, cookieStore, memoryStore, OptionInvalid, sessions, stack } from 'koa-strata'
import { atPath } from '../../lib/sharing/realm-matches.ts'
import { type Realm, realms } from '../../lib/sharing/realms.ts'
import { startApp } from '../sessions/app.ts'
import { directory } from '../users/app.ts'
import { identity, pages } from './realm-app.ts'

const plain: Middleware = async (_ctx, next) => next()
const cookie = (options: CookieOptions) => sessions({ cookie: options })

function together(admin: Realm['stack'], site: Realm['stack']) {
  return () => realms({ admin: { match: atPath('/admin'), stack: admin }, site: { stack: site } })
}

function refused(t: ExecutionContext, make: () => unknown, name: string): void {
  const error = t.throws(make, { instanceOf: OptionInvalid })
  t.is(error?.option, 'site.stack')
  t.is(
    error?.message,
    `realms(): option 'site.stack' sets the cookie '${name}' as 'admin' does: whoever logs in to one would be logged out of the other. ` +
      "Give one a name of its own, as sessions({ cookie: { name: 'site' } }).",
  )
}

const collisions: [title: string, one: CookieOptions, other: CookieOptions, name: string][] = [
  ['the default’s', {}, {}, 'sid'],
  ['one that is named and the default', { name: 'sid' }, {}, 'sid'],
  ['one name on two paths', { path: '/admin' }, {}, 'sid'],
  ['one name on a domain and a host of it', { name: 'a', domain: 'example.org' }, { name: 'a' }, 'a'],
  ['one with a prefix, which is missing in development', { secure: true }, { secure: false }, 'sid'],
  ['two with different prefixes', { secure: true, path: '/admin' }, { secure: true }, 'sid'],
  ['one that is beside the other’s for its devices', { name: 'sid-device' }, { name: 'sid' }, 'sid-device'],
  ['the other way round', { name: 'sid' }, { name: 'sid-device' }, 'sid-device'],
  [
    'long ones whose devices’ are cut off alike',
    { name: `${'n'.repeat(121)}-admins` },
    { name: `${'n'.repeat(121)}-people` },
    `${'n'.repeat(121)}-device`,
  ],
]

for (const [title, one, other, name] of collisions) {
  test(`C4: two realms that would set one cookie are an error at construction: ${title}`, t => {
    refused(t, together(cookie(one), cookie(other)), name)
  })
}

test('C4: they are found in stacks, and in realms within a realm', t => {
  const inner = realms({ inner: { match: () => false, stack: plain }, other: { stack: stack(plain, cookie({})) } })
  refused(t, together(stack(plain, stack(cookie({}), plain)), stack(inner)), 'sid')
  refused(t, together(sessions({ store: cookieStore() }), sessions({ store: memoryStore() })), 'sid')
})

test('Cookies of different names are welcome, and so is one layer of sessions, or one stack, in several realms.', t => {
  t.notThrows(together(cookie({ name: 'admin' }), cookie({})))
  t.notThrows(together(cookie({ name: 'SID' }), cookie({ name: 'sid' })))
  t.notThrows(together(plain, cookie({})))
  const shared = cookie({})
  t.notThrows(together(shared, shared))
  t.notThrows(together(stack(shared, plain), stack(plain, shared)))
  t.notThrows(
    together(stack(cookie({ name: 'a' }), cookie({ name: 'a' })), plain),
    'what is within one realm is its own matter',
  )
  t.notThrows(together(stack(cookie({ name: 'a' }), cookie({ name: 'b' })), cookie({ name: 'c' })))
})

test('A realm that shares with one and collides with another is refused.', t => {
  const shared = cookie({})
  t.throws(
    () =>
      realms({
        a: { match: () => false, stack: shared },
        b: { match: () => false, stack: shared },
        c: { match: () => false, stack: cookie({}) },
      }),
    { message: /'c\.stack' sets the cookie 'sid' as 'a' does/ },
  )
})

test('A stack that two realms share has one login in both.', async t => {
  const one = identity('sid')
  const layers = [realms({ admin: { match: atPath('/admin'), stack: one }, site: { stack: one } }), pages]
  const browser = (await startApp(t, { layers })).browser()
  await browser.get('/login?u=alice')
  t.is((await browser.get('/admin/me')).json.key, 'sid:alice')
  await browser.get('/admin/logout')
  t.is((await browser.get('/me')).json.key, '')
})

test('C3: a cookie of one realm is nothing in another, even with one store, the same keys and the same users.', async t => {
  const store = memoryStore()
  const backend = directory('local', { alice: {} })
  const layers = [
    realms({
      admin: { match: atPath('/admin'), stack: identity('admin', { store, backend }) },
      site: { stack: identity('site', { store, backend }) },
    }),
    pages,
  ]
  const browser = (await startApp(t, { layers })).browser()
  await browser.get('/login?u=alice')
  const value = browser.cookies.get('site')!
  const asAdmin = await browser.get('/admin/me', { cookie: `admin=${value}` })
  t.is(asAdmin.json.key, '')
  t.is((await browser.get('/me', { cookie: `site=${value}` })).json.key, 'local:alice', 'the control')
})
