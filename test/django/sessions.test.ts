import { tmpdir } from 'node:os'
import test from 'ava'
import { memoryStore, OptionInvalid } from 'koa-strata'
import { type DjangoSessionsOptions, djangoSessions } from 'koa-strata/django'
import { ForeignSessions } from '../../lib/sessions/foreign.ts'
import { settleSessions } from '../../lib/sessions/options.ts'
import { openSqlite } from '../database/sqlite.ts'
import { file } from '../servers/file-owner.ts'

const KEY = { secretKey: 'the-secret-of-the-site' }
const COOKIES = { ...KEY, signedCookies: true } as const
const HOUR = 3_600_000

const settled = (options: Partial<DjangoSessionsOptions>) => settleSessions(djangoSessions({ ...COOKIES, ...options }))

test("Without more it is as Django's own defaults are.", t => {
  const { cookie, idleTimeout, absoluteTimeout, sharedBackend, touchEvery, cookieAge } = settled({})
  t.is(cookie.set('x', cookieAge({})), 'sessionid=x; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax')
  t.deepEqual(
    [idleTimeout, absoluteTimeout, touchEvery],
    [1_209_600_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  )
  t.is(sharedBackend, 'django')
})

test("The cookie is as Django's settings have it, a dot before its domain or none.", t => {
  const cookie = { name: 'site', path: '/app', domain: '.example.com', secure: true, sameSite: false } as const
  t.is(settled({ cookie }).cookie.set('x', 1000), 'site=x; Max-Age=1; Path=/app; Domain=example.com; HttpOnly; Secure')
})

test('A session ends after its age, with the browser, or when it says so itself.', t => {
  const now = () => 1_000_000
  const plain = settled({ age: HOUR, now })
  const closing = settled({ age: HOUR, expireAtBrowserClose: true, now })
  const at = (milliseconds: number) => new Date(milliseconds).toISOString()
  for (const [data, cookieAge, lasts] of [
    [{}, HOUR, HOUR],
    [{ _session_expiry: null }, HOUR, HOUR],
    [{ _session_expiry: 300 }, 300_000, 300_000],
    [{ _session_expiry: 0 }, null, HOUR],
    [{ _session_expiry: at(1_070_000) }, 70_000, 70_000],
    [{ _session_expiry: at(1_070_000).replace('Z', '123+00:00') }, 70_000, 70_000],
    [{ _session_expiry: '1970-01-01T01:17:50+01:00' }, 70_000, 70_000],
    [{ _session_expiry: at(1_070_000).replace('Z', '') }, 70_000, 70_000],
    [{ _session_expiry: at(10) }, 0, 0],
    [{ _session_expiry: 'never' }, HOUR, HOUR],
    [{ _session_expiry: [] }, HOUR, HOUR],
  ] as const) {
    t.is(plain.cookieAge(data), cookieAge, JSON.stringify(data))
    t.is(plain.expiryOf(data), now() + lasts, JSON.stringify(data))
  }
  t.is(closing.cookieAge({}), null)
  t.is(closing.expiryOf({}), now() + HOUR)
  t.is(closing.cookieAge({ _session_expiry: 300 }), 300_000)
})

test('It can be handed a deadline and what to do without a store besides.', t => {
  const { onUnavailable, store } = settleSessions({
    ...djangoSessions({ ...KEY, directory: tmpdir() }),
    deadline: 1000,
    onUnavailable: 'anonymous',
  })
  t.is(onUnavailable, 'anonymous')
  t.is(typeof store?.destroyAll, 'function')
  t.is(store?.list, undefined)
})

test('What is signed for our own use is signed with a key derived from the secret key, by each of them.', t => {
  const { signer } = settled({})
  const rotated = settled({ secretKey: 'a-new-one', secretKeyFallbacks: [KEY.secretKey] }).signer
  t.true(rotated?.verify('text', signer!.sign('text')))
  t.false(signer?.verify('text', rotated!.sign('text')))
})

const knex = openSqlite(file, ':memory:')
const WRONG: Record<string, [given: object, option: string, says: RegExp]> = {
  'no place for sessions': [KEY, 'database', /one of database, directory and signedCookies/],
  'two places': [{ ...KEY, database: knex, directory: '/tmp' }, 'directory', /one of database/],
  'three places': [{ ...COOKIES, database: knex, directory: '/tmp' }, 'directory', /one of database/],
  'no secret key': [{ signedCookies: true }, 'secretKey', /SECRET_KEY/],
  'signedCookies: false': [{ ...KEY, signedCookies: false }, 'signedCookies', /must be one of/],
  'a database that is none': [{ ...KEY, database: 'postgres://' }, 'database', /knex/],
  'a directory that is none': [{ ...KEY, directory: 5 }, 'directory', /path|folder/],
  'an empty directory': [{ ...KEY, directory: '' }, 'directory', /path|folder/],
  'a table that is none': [{ ...KEY, database: knex, table: 'a b' }, 'table', /table/],
  'a table for files': [{ ...KEY, directory: '/tmp', table: 'x' }, 'table', /is for database alone/],
  'epochs for a database': [{ ...KEY, database: knex, epochs: memoryStore() }, 'epochs', /is for signedCookies alone/],
  'epochs that are no store': [{ ...COOKIES, epochs: {} }, 'epochs', /read\(\)/],
  'a cache alone': [
    { ...KEY, cache: { delete: async () => {} } },
    'cache',
    /Set SESSION_ENGINE to 'django\.contrib\.sessions\.backends\.cached_db'/,
  ],
  'a cache for cookies': [{ ...COOKIES, cache: { delete: async () => {} } }, 'cache', /SESSION_ENGINE/],
  'a cache that cannot delete': [{ ...KEY, database: knex, cache: {} }, 'cache', /delete\(\)/],
  'an age in words': [{ ...COOKIES, age: '2 weeks' }, 'age', /milliseconds/],
  'an age of no time': [{ ...COOKIES, age: 0 }, 'age', /milliseconds/],
  'a cookie that is no object': [{ ...COOKIES, cookie: 'sessionid' }, 'cookie', /object/],
  'a cookie with an unknown field': [{ ...COOKIES, cookie: { httpOnly: false } }, 'httpOnly', /unknown/],
  'a cookie of no name': [{ ...COOKIES, cookie: { name: '' } }, 'cookie.name', /token/],
  'a cookie for a public suffix': [{ ...COOKIES, cookie: { domain: '.co.uk' } }, 'cookie.domain', /public suffix/],
  'a SameSite as Django writes it': [{ ...COOKIES, cookie: { sameSite: 'Lax' } }, 'cookie.sameSite', /"lax"/],
  'a flag that is none': [{ ...COOKIES, saveEveryRequest: 1 }, 'saveEveryRequest', /true, false/],
  'no backends': [{ ...COOKIES, authenticationBackends: [] }, 'authenticationBackends', /AUTHENTICATION_BACKENDS/],
  'a backend that is no path': [
    { ...COOKIES, authenticationBackends: ['model'] },
    'authenticationBackends',
    /AUTHENTICATION_BACKENDS/,
  ],
  'the name of a backend that is none': [{ ...COOKIES, backend: 'a b' }, 'backend', /letters/],
  'a clock that is none': [{ ...COOKIES, now: 5 }, 'now', /function/],
  'an unknown option': [{ ...COOKIES, sessionCookieName: 'x' }, 'sessionCookieName', /unknown/],
}

for (const [what, [given, option, says]] of Object.entries(WRONG))
  test(`With ${what} it is an error that names the option.`, t => {
    const error = t.throws(() => djangoSessions(given as DjangoSessionsOptions), { instanceOf: OptionInvalid })
    t.is(error?.option, option)
    t.regex(error!.message, says)
    t.false(error!.message.includes(KEY.secretKey))
  })

test('What it answers is for sessions() alone: it is no store.', t => {
  const { store } = djangoSessions(COOKIES)
  t.true(store instanceof ForeignSessions)
})
