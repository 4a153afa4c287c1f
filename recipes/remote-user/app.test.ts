import test, { type ExecutionContext } from 'ava'
import knexFactory from 'knex'
import { migrate, sqlUsers } from 'koa-strata/sql'
import { knownHere, knownToApache } from './identity.ts'
import { type SiteOptions, startSite } from './site.ts'
import { Visitor } from './test-visitor.ts'

const KEYS = ['the key of the tests, 32 bytes or more']
const APACHE = '127.0.0.1'
const STRANGER = '127.0.0.2'

const start = (t: ExecutionContext, options: Partial<SiteOptions> = {}) =>
  startSite(t, { identity: knownToApache(KEYS), ...options })

test('Whom Apache has asked for a password is logged in, once, and may do what their name may.', async t => {
  const site = await start(t)
  const noor = new Visitor(site)
  t.is(await noor.look({}), '401')
  t.is(await noor.look({ as: 'noor' }), 'noor 1')
  t.is(await noor.look({ as: 'noor' }), 'noor 2')
  t.is((await noor.ask('/ledger', { as: 'noor' })).status, 403)
  t.regex((await new Visitor(site).ask('/ledger', { as: 'grace' })).text, /Boiler room/)
})

test('Another name starts another session, and a missing one ends it.', async t => {
  const browser = new Visitor(await start(t))
  t.is(await browser.look({ as: 'noor' }), 'noor 1')
  const { cookie } = browser
  t.is(await browser.look({ as: 'grace' }), 'grace 1')
  const late = browser.cookie
  t.is(await browser.look({ pastFrom: APACHE }), '401')
  for (const ended of [cookie, late]) {
    browser.cookie = ended
    t.is(await browser.look({ as: 'noor' }), 'noor 1')
  }
})

const SPELLINGS = ['X-Remote-User', 'x-remote-user', 'X_Remote_User', 'X-Remote_User', 'X_Remote-User']
const CLAIMS: Record<string, string>[] = [
  ...SPELLINGS.map(name => ({ [name]: 'grace' })),
  Object.fromEntries(SPELLINGS.map(name => [name, 'grace'])),
  { 'X-Remote-User': 'grace', Connection: 'close, X-Remote-User' },
]

test('Nobody is another one by a header, by Apache or past it.', async t => {
  const site = await start(t)
  for (const headers of CLAIMS) {
    t.is(await new Visitor(site).look({ headers }), '401')
    t.is(await new Visitor(site).look({ as: 'noor', headers }), 'noor 1')
    t.is(await new Visitor(site).look({ pastFrom: STRANGER, headers }), '401')
  }
  const noor = new Visitor(site)
  t.is(await noor.look({ as: 'noor' }), 'noor 1')
  t.is(
    await noor.look({ pastFrom: STRANGER, headers: { 'X-Remote-User': 'noor' } }),
    '401',
    'nor by a cookie of theirs',
  )
})

test('The control: where Apache says nothing about who it is, a client says it.', async t => {
  const site = await start(t, {
    adapt: configuration => configuration.replace(/^ *RequestHeader \w+ X.Remote.User.*$/gm, ''),
  })
  t.is(await new Visitor(site).look({ as: 'noor', headers: { 'X-Remote-User': 'grace' } }), 'grace 1')
})

test('Names of Apache are linked to the users of the table by one line: whoever has a record is that user, others are nobody.', async t => {
  const database = knexFactory({
    client: 'better-sqlite3',
    connection: ':memory:',
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  })
  t.teardown(() => database.destroy())
  await migrate(database)
  const accounts = sqlUsers(database)
  const grace = await accounts.create({ username: 'Grace' })
  const site = await start(t, { identity: knownHere(KEYS, database) })
  const visitor = new Visitor(site)
  t.is(await visitor.look({ as: 'grace' }), 'Grace 1')
  t.is(
    (await visitor.ask('/ledger', { as: 'grace' })).status,
    403,
    'what their name may do at another backend is not theirs',
  )
  await accounts.grant(grace.id, 'ledger.read')
  t.is((await visitor.ask('/ledger', { as: 'grace' })).status, 200)
  await accounts.deactivate(grace.id)
  t.is(await visitor.look({ as: 'grace' }), '401')
  t.is(await new Visitor(site).look({ as: 'noor' }), '401')
})
