import test, { type ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import { permissionOrBasicAuth, sessionOrBasicAuth } from 'koa-strata'
import { sqlFeedTokens } from 'koa-strata/sql'
import { newFeedToken } from '../../lib/feeds/tokens.ts'
import { migratedSqlite } from '../database/sqlite.ts'
import type { Answer } from '../sessions/app.ts'
import { directory, logIn, startUsersApp, whoIs } from '../users/app.ts'
import { basic, CHALLENGE } from './people.ts'

/**
 * One of the three ways to show who one is, as it stands in a request: somebody, who has the permission or not; or what is refused; or null, where
 * it is not shown at all. Each way leads to a user of its own, so that the answer tells which of them decided.
 */
type Shown = { who: string; may: boolean } | { refused: 401 | 403 } | null
type Outcome = string | 401 | 403

/** A session that has ended, or is nobody's, shows nobody. */
const SESSIONS: Record<string, Shown> = {
  'no session': null,
  'a session of nobody': null,
  'a session with the permission': { who: 'session-may', may: true },
  'a session without the permission': { who: 'session', may: false },
  'a session that was idle for too long': null,
  'a session cookie with a wrong signature': null,
  'a session that ended by logout': null,
}

const TOKENS: Record<string, Shown> = {
  'no token': null,
  'a token': { who: 'token-may', may: true },
  'a token of somebody without the permission': { who: 'token', may: false },
  'a token for other feeds': { refused: 403 },
  'a revoked token': { refused: 401 },
  'a malformed token': { refused: 401 },
}

const HEADERS: Record<string, Shown> = {
  'no header': null,
  'right credentials': { who: 'basic-may', may: true },
  'right credentials without the permission': { who: 'basic', may: false },
  'a token as the password': { who: 'password-may', may: true },
  'a wrong password': { refused: 401 },
  'the password from before a change': { refused: 401 },
  'a header that cannot be read': { refused: 401 },
}

const GUARDS = ['sessionOrBasicAuth', 'permissionOrBasicAuth'] as const
type Guard = (typeof GUARDS)[number]

/**
 * The rule. Of session, token and header, in this order, the first that is right decides: one that shows somebody, who has the permission where
 * one is needed. Where none is right, the last that was shown says why: 403 for somebody whom it shows, and else what it is refused with. Where
 * nothing was shown: 401.
 */
function ruled(guard: Guard, ways: Shown[]): Outcome {
  const shown = ways.filter(way => way !== null)
  for (const way of shown) {
    if ('who' in way && (way.may || guard === 'sessionOrBasicAuth')) return way.who
  }
  const last = shown.at(-1)
  if (!last) return 401
  return 'who' in last ? 403 : last.refused
}

/** Rows that were written by hand, as a check of the rule. */
const LITERAL: [guard: Guard, session: string, token: string, header: string, outcome: Outcome][] = [
  ['sessionOrBasicAuth', 'no session', 'no token', 'no header', 401],
  ['sessionOrBasicAuth', 'a session without the permission', 'a malformed token', 'a wrong password', 'session'],
  ['sessionOrBasicAuth', 'a session that ended by logout', 'a token', 'right credentials', 'token-may'],
  ['sessionOrBasicAuth', 'a session of nobody', 'a revoked token', 'right credentials', 'basic-may'],
  ['sessionOrBasicAuth', 'no session', 'a token for other feeds', 'no header', 403],
  ['sessionOrBasicAuth', 'no session', 'a token for other feeds', 'the password from before a change', 401],
  [
    'permissionOrBasicAuth',
    'a session with the permission',
    'a revoked token',
    'a header that cannot be read',
    'session-may',
  ],
  ['permissionOrBasicAuth', 'a session without the permission', 'no token', 'no header', 403],
  ['permissionOrBasicAuth', 'a session without the permission', 'no token', 'a wrong password', 401],
  ['permissionOrBasicAuth', 'a session without the permission', 'no token', 'a token as the password', 'password-may'],
  [
    'permissionOrBasicAuth',
    'a session without the permission',
    'a token of somebody without the permission',
    'right credentials',
    'basic-may',
  ],
  [
    'permissionOrBasicAuth',
    'a session that was idle for too long',
    'a malformed token',
    'right credentials without the permission',
    403,
  ],
]

test('The rule says of each row that was written by hand what stands there.', t => {
  for (const [guard, session, token, header, outcome] of LITERAL) {
    t.is(
      ruled(guard, [SESSIONS[session]!, TOKENS[token]!, HEADERS[header]!]),
      outcome,
      `${session}, ${token}, ${header}`,
    )
  }
})

const HOUR = 3_600_000
const WHO = [...Object.values(SESSIONS), ...Object.values(TOKENS), ...Object.values(HEADERS)].filter(
  way => way !== null && 'who' in way,
)

/** An app behind a guard, and what is to be sent for each session, token and header. */
async function start(t: ExecutionContext, guard: Guard) {
  const accounts = WHO.map(({ who, may }) => [who, { permissions: may ? ['reports.read'] : [], password: `${who} pw` }])
  const changed = { password: 'the old one', permissions: ['reports.read'] }
  const people = directory('people', { ...Object.fromEntries(accounts), changed }, { stampFollowsPassword: true })
  const tokens = sqlFeedTokens(await migratedSqlite(t))
  const owned = (who: string, feeds?: string[]) => tokens.create({ key: `people:${who}` }, { name: 'a reader', feeds })
  const options = { realm: 'Jobs', tokens, feed: 'openings' }
  const guards: Record<Guard, Middleware> = {
    sessionOrBasicAuth: sessionOrBasicAuth(options) as Middleware,
    permissionOrBasicAuth: permissionOrBasicAuth('reports.read', options) as Middleware,
  }
  let now = Date.UTC(2026, 10, 7)
  const app = await startUsersApp(t, {
    backends: [people],
    throttle: false,
    idleTimeout: HOUR,
    now: () => now,
    above: [((ctx, next) => (ctx.path === '/feed' ? guards[guard](ctx, next) : next())) as Middleware],
    handlers: { '/feed': ctx => ctx.state.user.username },
  })

  const loggedIn = async (who: string) => {
    const browser = app.browser()
    await logIn(browser, who, `${who} pw`)
    t.is(await whoIs(browser), `people:${who}`)
    return browser
  }
  const idle = (await loggedIn('session-may')).cookie
  now += HOUR
  const leaver = await loggedIn('session-may')
  const ended = leaver.cookie
  await leaver.get('/logout')
  const right = (await loggedIn('session-may')).cookie
  const nobody = app.browser()
  await nobody.get('/set?note=mine')
  const cookies: Record<string, string> = {
    'no session': '',
    'a session of nobody': nobody.cookie,
    'a session with the permission': right,
    'a session without the permission': (await loggedIn('session')).cookie,
    'a session that was idle for too long': idle,
    'a session cookie with a wrong signature': right.replace(/\.(.)/, (_, first) => (first === 'A' ? '.B' : '.A')),
    'a session that ended by logout': ended,
  }

  const revoked = await owned('token-may')
  await tokens.revoke({ key: 'people:token-may' }, revoked.id)
  const queries: Record<string, string> = {
    'no token': '',
    'a token': `?token=${(await owned('token-may', ['openings'])).token}`,
    'a token of somebody without the permission': `?token=${(await owned('token')).token}`,
    'a token for other feeds': `?token=${(await owned('token-may', ['letters'])).token}`,
    'a revoked token': `?token=${revoked.token}`,
    'a malformed token': `?token=${newFeedToken()}x`,
  }

  const old = { authorization: basic('changed', 'the old one') }
  t.is((await app.browser().get('/feed', old)).text, 'changed', 'it was right, and is remembered')
  Object.assign(people.accounts.get('changed')!, { password: 'the new one', stamp: '2' })
  const headers: Record<string, string> = {
    'no header': '',
    'right credentials': basic('basic-may', 'basic-may pw'),
    'right credentials without the permission': basic('basic', 'basic pw'),
    'a token as the password': basic('password-may', (await owned('password-may')).token),
    'a wrong password': basic('basic-may', 'wrong'),
    'the password from before a change': old.authorization,
    'a header that cannot be read': 'Basic %%%',
  }
  const ask = (session: string, token: string, header: string) =>
    app.browser().get(`/feed${queries[token]}`, {
      ...(cookies[session] && { cookie: cookies[session] }),
      ...(headers[header] && { authorization: headers[header] }),
    })
  return { app, ask, cookies }
}

/** What an answer lets in, or refuses with; whatever else it must hold is looked at. */
function outcomeOf(t: ExecutionContext, { status, text, headers, setCookies }: Answer, what: string): Outcome {
  t.is(headers['www-authenticate'], status === 401 ? CHALLENGE : undefined, what)
  t.deepEqual(setCookies, [], what)
  return status === 200 ? text : (status as 401 | 403)
}

for (const guard of GUARDS) {
  for (const [session, bySession] of Object.entries(SESSIONS)) {
    test(`With ${session}, ${guard} lets in the first of session, token and header that is right, and else the last says why.`, async t => {
      const { app, ask, cookies } = await start(t, guard)
      const me = async () => {
        const browser = app.browser()
        const { key, session: data } = (await browser.get('/me', { cookie: cookies[session] ?? '' })).json
        return { key, data }
      }
      const before = await me()
      for (const [token, byToken] of Object.entries(TOKENS)) {
        for (const [header, byHeader] of Object.entries(HEADERS)) {
          const what = `${token}, ${header}`
          const found = outcomeOf(t, await ask(session, token, header), what)
          t.is(found, ruled(guard, [bySession, byToken, byHeader]), what)
        }
      }
      t.deepEqual(await me(), before, 'the session stays as it is')
    })
  }

  test(`${guard} answers the rows that were written by hand as they say.`, async t => {
    const { ask } = await start(t, guard)
    for (const [, session, token, header, outcome] of LITERAL.filter(([one]) => one === guard)) {
      const what = `${session}, ${token}, ${header}`
      t.is(outcomeOf(t, await ask(session, token, header), what), outcome, what)
    }
  })
}
