import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import test from 'ava'
import type { StrataEvents } from 'koa-strata'
import { heard } from '../../test/heard.ts'
import { basic, poll, startLibrary, type TestLibrary, Visitor, writtenByNginx } from './test-library.ts'

/** All events that a poll can bring about. */
const EVENTS: readonly (keyof StrataEvents)[] = [
  'koa-strata:login',
  'koa-strata:login-failed',
  'koa-strata:throttled',
  'koa-strata:session-gone',
  'koa-strata:backend-error',
]

/** Asks in every way in which a token can come along, right ones and wrong ones. */
async function askAround({ origin }: TestLibrary, token: string): Promise<number[]> {
  const statuses: number[] = []
  for (const [path, headers] of [
    [`/loans.atom?token=${token}`, {}],
    [`/loans.atom?a=b&token=${token}&c=d`, {}],
    [`/loans.atom?%74oken=${token}`, {}],
    [`/loans.atom?token=${token}&token=${token}`, {}],
    ['/loans.atom', basic('ines', token)],
    ['/loans.atom', { authorization: `Bearer ${token}` }],
    ['/loans.atom', { cookie: `sid=${token}` }],
    [`/loans?token=${token}`, {}],
    [`/no-such.atom?token=${token}`, {}],
    [`/login?next=/loans.atom?token=${token}`, {}],
    ['/', { referer: `${origin}/loans.atom?token=${token}` }],
  ] as const) {
    statuses.push((await poll(origin + path, headers)).status)
  }
  return statuses
}

test('B6: no token gets into the logs of nginx or of the app, into the cache or into an event, whatever becomes of the poll.', async t => {
  const events = EVENTS.map(name => heard(t, name))
  const library = await startLibrary(t)
  const ines = await Visitor.loggedIn(library, 'ines')
  const kept = await ines.newToken('kept')
  const revoked = await ines.newToken('revoked')
  await ines.ask(await ines.revocationOf('revoked'), {})
  const unknown = `feed_${randomBytes(32).toString('base64url')}`

  t.deepEqual(await askAround(library, kept), [200, 200, 200, 401, 200, 401, 401, 303, 404, 200, 200])
  for (const token of [revoked, unknown])
    t.deepEqual(await askAround(library, token), [401, 401, 401, 401, 401, 401, 401, 303, 404, 200, 200])
  await library.database.schema.dropTable('feed_tokens')
  t.is((await askAround(library, kept))[0], 503)
  library.stopApp()
  t.deepEqual([...new Set(await askAround(library, kept))], [502])

  const told = events.map(messages => messages.length)
  t.true(told[1]! > 0 && told[3]! > 0 && told[4]! > 0, `events: ${told}`)
  const nginx = await writtenByNginx(library)
  for (const status of [200, 401, 503, 502])
    t.true(nginx.includes(`GET /loans.atom ${status} `), 'it has logged all of that')
  t.true(library.lines.includes('127.0.0.1 GET /loans.atom 200'))
  const all = [nginx, library.lines.join('\n'), inspect(events, { depth: Number.POSITIVE_INFINITY })].join('\n')
  for (const token of [kept, revoked, unknown]) t.false(all.includes(token.slice('feed_'.length)))
})

for (const [what, adapt] of [
  ["nginx's own format of access logs", (text: string) => text.replace(/access.log without-tokens;/, 'access.log;')],
  ["nginx's own log of errors", (text: string) => text.replace(/^ *error_log .*$/m, '')],
] as const) {
  test(`B6: the control: ${what} holds the token.`, async t => {
    const library = await startLibrary(t, { adapt })
    const token = await (await Visitor.loggedIn(library, 'ines')).newToken('any')
    library.stopApp()
    await askAround(library, token)
    t.true((await writtenByNginx(library)).includes(token))
  })
}
