import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { DetachedUser, FeedTokenInvalid, OptionInvalid } from 'koa-strata'
import {
  migrate,
  type NewFeedToken,
  type SqlFeedTokens,
  type SqlFeedTokensOptions,
  sqlFeedTokens,
  sqlUsers,
} from 'koa-strata/sql'
import { type DatabaseName, newDatabase } from '../database/servers.ts'
import { scaled } from '../scale.ts'
import { DETACHED_IDS } from '../users/detached-ids.ts'
import { testEach } from '../users/sql/people.ts'

const ADA = { key: 'sql:1' }
const BOB = { key: 'sql:2' }
const MINUTE = 60_000
const NOW = Date.UTC(2026, 10, 7, 12)

/** Tokens in a database of the test's own, the clock that they go by, and the statements that reach the database. */
async function opened(t: ExecutionContext, name: DatabaseName = 'sqlite', given: SqlFeedTokensOptions = {}) {
  const database = await newDatabase(t, name)
  const knex = database.open()
  await migrate(knex, { users: false })
  const clock = { now: NOW }
  const options = { now: () => clock.now, ...given }
  const queries: string[] = []
  knex.on('query', ({ sql }) => queries.push(sql))
  return { ...database, knex, queries, clock, options, tokens: sqlFeedTokens(knex, options) }
}

/** How many statements of each kind a piece of work takes. */
async function statements(queries: string[], work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = queries.length
  await work()
  const kinds = queries.slice(before).map(sql => sql.split(' ', 1)[0]!)
  return Object.fromEntries(kinds.map(kind => [kind, kinds.filter(one => one === kind).length]))
}

testEach(
  'B6: a token is 256 random bits behind feed_, which its maker is shown and the table does not hold.',
  async (t, name) => {
    const { knex, tokens } = await opened(t, name)
    const { token, ...shown } = await tokens.create(ADA, { name: 'My reader', feeds: ['openings'] })
    t.regex(token, /^feed_[\w-]{43}$/)
    t.is(Buffer.from(token.slice(5), 'base64url').length, 32)
    await tokens.find(token)
    await tokens.noteUse!(shown.id)
    const stored = (await knex('feed_tokens')).flatMap(row => Object.values(row)).flatMap(spellings)
    const held = (text: string) => stored.some(one => one.includes(text))
    t.true(held('My reader'), 'the dump shows what is stored')
    for (let start = 0; start + 8 <= token.length; start++) t.false(held(token.slice(start, start + 8)))
    const bytes = Buffer.from(token.slice(5), 'base64url')
    for (const encoding of ['hex', 'base64', 'latin1'] as const) t.false(held(bytes.toString(encoding).slice(0, 12)))
    const answers = JSON.stringify([shown, await tokens.list(ADA), await tokens.find(token)])
    t.false(answers.includes(token.slice(5)))
    t.false(Object.keys((await tokens.list(ADA))[0]!).includes('token'))
  },
)

/** A value of a column, in each form in which a token's text could hide there. */
function spellings(value: unknown): string[] {
  if (!(value instanceof Uint8Array)) return [String(value)]
  const bytes = Buffer.from(value)
  return [bytes.toString('latin1'), bytes.toString('utf8'), bytes.toString('hex'), bytes.toString('base64')]
}

testEach('B6: a user’s tokens are listed, the newest first, as they were made.', async (t, name) => {
  const { tokens, clock } = await opened(t, name)
  t.deepEqual(await tokens.list(ADA), [])
  const first = await tokens.create(ADA, { name: 'newsboat' })
  clock.now += 1
  const second = await tokens.create(ADA, { name: 'liferea', feeds: ['openings', 'a.b-C_9', 'openings'] })
  await tokens.create(BOB, { name: 'of another' })
  t.like(first, { name: 'newsboat', feeds: null, createdAt: new Date(NOW), lastUsedAt: null })
  t.like(second, { name: 'liferea', feeds: ['openings', 'a.b-C_9'], createdAt: new Date(NOW + 1), lastUsedAt: null })
  const listed = [second, first].map(({ token: _, ...shown }) => shown)
  t.deepEqual(await tokens.list(ADA), listed)
  t.not(first.id, second.id)
})

testEach('B6: a token is found by its text alone, with its owner and the feeds that it is for.', async (t, name) => {
  const { tokens } = await opened(t, name)
  const { token, id } = await tokens.create(ADA, { name: 'all' })
  const limited = await tokens.create(BOB, { name: 'one', feeds: ['__proto__', 'constructor'] })
  const user = { backend: 'sql', id: '1' }
  t.deepEqual(await tokens.find(token), { id, user, feeds: null })
  t.like(await tokens.find(limited.token), { user: { backend: 'sql', id: '2' }, feeds: ['__proto__', 'constructor'] })
  const others = [
    ...['', ' ', 'feed_', '\0', '\ud800', "' or 1=1 --", '%', '_', token.slice(5), `${token} `, ` ${token}`],
    ...[token.toUpperCase(), token.toLowerCase(), token.slice(0, -1), `${token}A`, id, 'x'.repeat(1_000_000)],
  ]
  t.deepEqual(
    await Promise.all(others.map(text => tokens.find(text))),
    others.map(() => null),
  )
})

testEach(
  'B6: a user revokes their own tokens alone, by an id that they have seen; whatever else is handed in is false.',
  async (t, name) => {
    const { tokens, knex } = await opened(t, name)
    const [ada, bob] = [await tokens.create(ADA, { name: 'a' }), await tokens.create(BOB, { name: 'b' })]
    const [{ id }, { id: other }] = [ada, bob]
    const ids: unknown[] = [
      ...[
        other,
        '',
        ' ',
        '0',
        '-1',
        '1.0',
        '1e0',
        '0x1',
        `0${id}`,
        ` ${id}`,
        `${id} `,
        `${id}\n`,
        `+${id}`,
        '१',
        'null',
      ],
      ...[
        `${id};drop table feed_tokens`,
        `${id} or 1=1`,
        '9'.repeat(18),
        '9'.repeat(19),
        '9'.repeat(400),
        '\0',
        '\ud800',
      ],
      ...[Number(id), BigInt(id), NaN, null, undefined, true, {}, [id], { id }, Symbol('id'), ada.token],
    ]
    for (const wrong of ids) t.false(await tokens.revoke(ADA, wrong as string), String(wrong))
    t.is((await knex('feed_tokens')).length, 2)
    t.true(await tokens.revoke(ADA, id))
    t.false(await tokens.revoke(ADA, id))
    t.is(await tokens.find(ada.token), null)
    t.deepEqual(await tokens.list(ADA), [])
    t.truthy(await tokens.find(bob.token))
  },
)

testEach('B6: look-alikes of a user’s key own nothing of theirs.', async (t, name) => {
  const { tokens } = await opened(t, name)
  const owner = { key: 'sql:admin' }
  const { id, token } = await tokens.create(owner, { name: 'a' })
  const others = [
    ...['SQL:admin', 'sql:ADMIN', 'sql:admın', 'sql:ａdmin', 'sql:ádmin', 'sql:admin ', 'sql: admin', 'sql:admin\0'],
    ...['sql:admin\u200b', 'sql:admi', 'sql:admin1', 'sql::admin', 'sql:%', 'sql:_dmin', 'ldap:admin', 'sq:l:admin'],
  ]
  for (const key of others) {
    t.deepEqual(await tokens.list({ key }), [], key)
    t.false(await tokens.revoke({ key }, id), key)
    t.is(await tokens.revokeAll({ key }), 0, key)
  }
  t.truthy(await tokens.find(token))
  t.is((await tokens.list(owner)).length, 1)
})

testEach('B6: revokeAll() ends a user’s tokens, and says how many there were.', async (t, name) => {
  const { tokens } = await opened(t, name)
  const made = await Promise.all(['a', 'b', 'c'].map(one => tokens.create(ADA, { name: one })))
  const kept = await tokens.create(BOB, { name: 'd' })
  t.is(await tokens.revokeAll(ADA), 3)
  t.is(await tokens.revokeAll(ADA), 0)
  for (const { token } of made) t.is(await tokens.find(token), null)
  t.truthy(await tokens.find(kept.token))
})

test('B6: the tokens of a user who is deleted go in the same transaction, or stay with them.', async t => {
  const { tokens, knex, options } = await opened(t)
  await migrate(knex)
  const people = sqlUsers(knex)
  const user = await people.create({ username: 'ada' })
  const { token } = await tokens.create(user, { name: 'a' })
  const gone = new Error('not after all')
  const transaction = knex.transaction(async trx => {
    t.is(await sqlFeedTokens(trx, options).revokeAll(user), 1)
    throw gone
  })
  t.is(await t.throwsAsync(transaction), gone)
  t.truthy(await tokens.find(token))
})

testEach('B6: tokens belong to users of any backend, detached ones with any id among them.', async (t, name) => {
  const { tokens } = await opened(t, name)
  const owners = DETACHED_IDS.map(id => new DetachedUser({ backend: 'ldap', id }))
  const made = await Promise.all(owners.map(owner => tokens.create(owner, { name: 'a' })))
  const found = await Promise.all(made.map(({ token }) => tokens.find(token)))
  t.deepEqual(
    found.map(one => one?.user),
    DETACHED_IDS.map(id => ({ backend: 'ldap', id })),
  )
  for (const [index, owner] of owners.entries()) {
    t.deepEqual(
      (await tokens.list(owner)).map(({ id }) => id),
      [made[index]!.id],
    )
  }
})

const NO_OWNERS: Record<string, unknown> = {
  nobody: undefined,
  null: null,
  'a user without a key': {},
  'an anonymous user': { key: '' },
  'a key that is a number': { key: 1 },
  'a key without a backend': { key: ':1' },
  'a key without an id': { key: 'sql:' },
  'a key without a colon': { key: 'sql' },
  'a backend that has no such name': { key: 'a b:1' },
  'an id beyond 1,024 bytes': { key: `ldap:${'ä'.repeat(513)}` },
  'an id that is no Unicode': { key: 'ldap:\ud800' },
}

for (const [what, owner] of Object.entries(NO_OWNERS)) {
  test(`B6: ${what} owns no tokens: nothing is made, listed or revoked, and it is said why.`, async t => {
    const { tokens, queries } = await opened(t)
    queries.length = 0
    for (const call of [
      () => tokens.create(owner as never, { name: 'a' }),
      () => tokens.list(owner as never),
      () => tokens.revoke(owner as never, '1'),
      () => tokens.revokeAll(owner as never),
    ]) {
      const error = await t.throwsAsync(call(), { instanceOf: OptionInvalid })
      t.like(error, { where: 'sqlFeedTokens()', option: 'owner' })
    }
    t.deepEqual(queries, [])
  })
}

testEach('Names in any script are kept as they are, up to 150 characters of them.', async (t, name) => {
  const { tokens } = await opened(t, name)
  const names = [
    ...[
      'x',
      'Ada’s “reader”',
      'قارئ الأخبار',
      '読書',
      'é',
      'e\u0301',
      '👩‍👩‍👧‍👦',
      'a\u00a0b',
      'a  b',
      "'; drop table feed_tokens; --",
    ],
    ...['%_\\', '<b>', '\\u0000', '__proto__', '0', 'null', 'x'.repeat(150), '😀'.repeat(150), 'ﷺ'.repeat(150)],
  ]
  for (const one of names) await tokens.create(ADA, { name: one })
  t.deepEqual((await tokens.list(ADA)).map(token => token.name).reverse(), names)
})

const NO_NAMES: unknown[] = [
  ...[
    '',
    ' ',
    ' a',
    'a ',
    '\ta',
    'a\n',
    'a\u00a0',
    '\u3000a',
    'a\0b',
    'a\u001bb',
    'a\u0085b',
    'a\r\nb',
    '\ud800',
    'a\udc00',
  ],
  ...[
    'x'.repeat(151),
    '😀'.repeat(151),
    'x'.repeat(1_000_000),
    undefined,
    null,
    1,
    true,
    {},
    ['a'],
    { toString: () => 'a' },
  ],
]
const NO_FEEDS: unknown[] = [
  ...[
    [],
    '',
    'openings',
    0,
    false,
    true,
    {},
    { length: 1, 0: 'a' },
    new Set(['a']),
    ['a', ''],
    [''],
    [null],
    [undefined],
  ],
  ...[['a b'], ['a/b'], ['ä'], ['a,b'], ['a\n'], ['x'.repeat(65)], [['a']], [1], new Array(1), ['a', ...new Array(1)]],
  Array.from({ length: 101 }, (_, index) => `f${index}`),
]

test('What is no name and no choice of feeds is a FeedTokenInvalid (422) with a message for each field; nothing is made.', async t => {
  const { tokens, queries } = await opened(t)
  queries.length = 0
  const fieldsOf = async (given: unknown) => {
    const error = await t.throwsAsync(tokens.create(ADA, given as NewFeedToken), { instanceOf: FeedTokenInvalid })
    t.like(error, { status: 422, code: 'FEED_TOKEN_INVALID', expose: true })
    t.true(Object.values(error.fields).every(message => error.message.includes(message)))
    return Object.keys(error.fields)
  }
  for (const name of NO_NAMES) t.deepEqual(await fieldsOf({ name }), ['name'])
  for (const feeds of NO_FEEDS) t.deepEqual(await fieldsOf({ name: 'a', feeds }), ['feeds'])
  t.deepEqual(await fieldsOf({}), ['name'])
  t.deepEqual(await fieldsOf({ name: '', feeds: [] }), ['name', 'feeds'])
  t.deepEqual(queries, [])
})

test('B6: a field of a new token that is misspelt is an error, and no token for all feeds.', async t => {
  const { tokens, queries } = await opened(t)
  queries.length = 0
  for (const [given, option] of [
    [{ name: 'a', feed: ['openings'] }, 'feed'],
    [{ name: 'a', Feeds: ['openings'] }, 'Feeds'],
    [undefined, 'options'],
    [null, 'options'],
    ['a', 'options'],
  ]) {
    const error = await t.throwsAsync(tokens.create(ADA, given as never), { instanceOf: OptionInvalid })
    t.like(error, { where: 'sqlFeedTokens().create()', option })
  }
  t.deepEqual(queries, [])
})

testEach('B6: the last use is kept to the minute, and polls within it write nothing.', async (t, name) => {
  const { tokens, queries, clock } = await opened(t, name)
  const { token, id } = await tokens.create(ADA, { name: 'a' })
  const lastUse = async () => (await tokens.list(ADA))[0]!.lastUsedAt?.getTime() ?? null
  const poll = () =>
    statements(queries, async () => {
      const found = await tokens.find(token)
      await tokens.noteUse!(found!.id)
    })
  t.is(await lastUse(), null)
  t.deepEqual(await poll(), { select: 1, update: 1 })
  t.is(await lastUse(), NOW)
  for (const later of [0, 1, 30_000, MINUTE - 1]) {
    clock.now = NOW + later
    t.deepEqual(await poll(), { select: 1 })
  }
  t.is(await lastUse(), NOW)
  clock.now = NOW + MINUTE
  t.deepEqual(await poll(), { select: 1, update: 1 })
  t.is(await lastUse(), NOW + MINUTE)
  clock.now = NOW
  t.deepEqual(await poll(), { select: 1 }, 'a clock that was set back takes no use back')
  t.is(await lastUse(), NOW + MINUTE)
  t.is((await tokens.find(token))?.id, id)
})

testEach('B6: a use that another process has noted is not noted again within the minute.', async (t, name) => {
  const { tokens, open, queries, clock, options } = await opened(t, name)
  const { token } = await tokens.create(ADA, { name: 'a' })
  const elsewhere = sqlFeedTokens(open(), options)
  const use = async (where: SqlFeedTokens) => where.noteUse!((await where.find(token))!.id)
  await use(tokens)
  clock.now += MINUTE
  await use(elsewhere)
  clock.now += MINUTE - 1
  t.deepEqual(await statements(queries, () => use(tokens)), { select: 1 })
  t.is((await tokens.list(ADA))[0]!.lastUsedAt?.getTime(), NOW + MINUTE)
  clock.now += 1
  t.deepEqual(await statements(queries, () => use(tokens)), { select: 1, update: 1 })
})

testEach('B6: many polls at once by one token are one look-up and one note of its use.', async (t, name) => {
  const { tokens, queries } = await opened(t, name)
  const { token } = await tokens.create(ADA, { name: 'a' })
  const poll = async () => tokens.noteUse!((await tokens.find(token))!.id)
  const polls = () => Promise.all(Array.from({ length: 100 }, poll))
  t.deepEqual(await statements(queries, polls), { select: 1, update: 1 })
  t.deepEqual(await statements(queries, polls), { select: 1 })
})

testEach('Look-ups of many tokens at once are one query, and each has its own answer.', async (t, name) => {
  const { tokens, queries } = await opened(t, name)
  const made = await Promise.all(
    Array.from({ length: 40 }, (_, id) => tokens.create({ key: `sql:${id + 1}` }, { name: 'a' })),
  )
  const texts = [...made.map(({ token }) => token), 'feed_none', ...made.map(({ token }) => token), '']
  let found: (string | undefined)[] = []
  const work = async () => {
    found = (await Promise.all(texts.map(text => tokens.find(text)))).map(one => one?.user.id)
  }
  t.deepEqual(await statements(queries, work), { select: 1 })
  const ids = made.map((_, index) => String(index + 1))
  t.deepEqual(found, [...ids, undefined, ...ids, undefined])
})

test('To note the use of a token that is not there, or no more, is no error.', async t => {
  const { tokens } = await opened(t)
  const { id } = await tokens.create(ADA, { name: 'a' })
  await tokens.revoke(ADA, id)
  for (const one of [id, '999']) await t.notThrowsAsync(tokens.noteUse!(one))
})

testEach('B6: a use that could not be noted is noted with the next poll.', async (t, name) => {
  const { tokens, knex } = await opened(t, name)
  const { token, id } = await tokens.create(ADA, { name: 'a' })
  await tokens.find(token)
  await knex.schema.renameTable('feed_tokens', 'away')
  await t.throwsAsync(tokens.noteUse!(id))
  await knex.schema.renameTable('away', 'feed_tokens')
  await tokens.find(token)
  await tokens.noteUse!(id)
  t.is((await tokens.list(ADA))[0]!.lastUsedAt?.getTime(), NOW)
})

/** Polls by many at once around a revocation: how many that began behind its answer were let in all the same. */
async function pollsAfterRevocation(
  tokens: SqlFeedTokens,
  polled: (token: string) => Promise<unknown>,
): Promise<number> {
  const { token, id } = await tokens.create(ADA, { name: 'a' })
  let revoked = false
  let late = 0
  const everybody = Promise.withResolvers<void>()
  let started = 0
  const reader = async () => {
    for (let after = 0; after < 3; ) {
      const isAfter = revoked
      const found = await polled(token)
      if (++started === 20) everybody.resolve()
      if (isAfter && found) late++
      if (isAfter) after++
    }
  }
  const readers = Array.from({ length: 20 }, reader)
  await everybody.promise
  await tokens.revoke(ADA, id)
  revoked = true
  await Promise.all(readers)
  return late
}

testEach(
  'B6: from the answer of a revocation on no poll passes that begins, however many are at it.',
  async (t, name) => {
    const { tokens, open, options } = await opened(t, name)
    const elsewhere = sqlFeedTokens(open(), options)
    for (let race = 0; race < scaled(200); race++) {
      const { find } = race % 2 === 0 ? tokens : elsewhere
      t.is(await pollsAfterRevocation(tokens, find), 0)
    }
  },
)

test('The control: a look-up that remembers what it found lets polls pass that begin after the revocation.', async t => {
  const { tokens } = await opened(t)
  const remembered = new Map<string, Promise<unknown>>()
  const polled = (token: string) => {
    const found = remembered.get(token) ?? tokens.find(token)
    remembered.set(token, found)
    return found
  }
  t.true((await pollsAfterRevocation(tokens, polled)) > 0)
})

testEach('B6: of 1,000 tokens that are made at once no two are the same.', async (t, name) => {
  const { tokens, knex } = await opened(t, name)
  const count = scaled(1000)
  const made = await Promise.all(Array.from({ length: count }, () => tokens.create(ADA, { name: 'a' })))
  for (const part of ['token', 'id'] as const) t.is(new Set(made.map(one => one[part])).size, count)
  t.is((await knex('feed_tokens').distinct('token_hash')).length, count)
})

testEach('The table may have another name, and its schema before it.', async (t, name) => {
  const { knex, config, open } = await opened(t, name)
  await knex.schema.renameTable('feed_tokens', 'reader_keys')
  const { connection, searchPath } = config as { connection: { database?: string }; searchPath?: string[] }
  const schema = { sqlite: 'main', mariadb: connection.database, postgresql: searchPath?.[0] }[name]
  const elsewhere = open(
    {
      mariadb: { connection: { database: 'information_schema' } },
      postgresql: { searchPath: ['pg_catalog'] },
      sqlite: {},
    }[name] as Knex.Config,
  )
  const [own, qualified] = [
    sqlFeedTokens(knex, { table: 'reader_keys' }),
    sqlFeedTokens(elsewhere, { table: `${schema}.reader_keys` }),
  ]
  const { token, id } = await qualified.create(ADA, { name: 'a' })
  await qualified.noteUse!(id)
  t.is((await own.find(token))?.id, id)
  t.is((await qualified.list(ADA)).length, 1)
  t.true(await qualified.revoke(ADA, id))
  t.is(await own.find(token), null)
})

testEach(
  'What other hands stored as feeds and is no list of names opens no feed, and holds up nobody else.',
  async (t, name) => {
    const { tokens, knex } = await opened(t, name)
    const [odd, other] = [await tokens.create(ADA, { name: 'a' }), await tokens.create(BOB, { name: 'b' })]
    for (const feeds of ['openings', '"openings"', '{"0":"openings"}', 'null', '', '[']) {
      await knex('feed_tokens').where({ id: odd.id }).update({ feeds })
      const [found, beside] = await Promise.all([tokens.find(odd.token), tokens.find(other.token)])
      t.deepEqual([found?.feeds, beside?.feeds], [[], null], feeds)
      t.deepEqual((await tokens.list(ADA))[0]!.feeds, [])
    }
  },
)

testEach('B6: what fails in the database says nothing of a token.', async (t, name) => {
  const { tokens, knex } = await opened(t, name)
  const { token } = await tokens.create(ADA, { name: 'a' })
  await knex.schema.dropTable('feed_tokens')
  const error = (await t.throwsAsync(tokens.find(token)))!
  const row = Object.getOwnPropertyNames(error).map(key => String(Reflect.get(error, key)))
  t.false(row.join('\n').includes(token.slice(5, 20)))
})

test('Without the table every call fails with what the database says.', async t => {
  const knex = (await newDatabase(t, 'sqlite')).open()
  const tokens = sqlFeedTokens(knex)
  for (const call of [tokens.find('x'), tokens.list(ADA), tokens.revokeAll(ADA), tokens.create(ADA, { name: 'a' })]) {
    await t.throwsAsync(call, { message: /no such table: feed_tokens/ })
  }
})

const WRONG: [what: string, given: unknown, option: string][] = [
  ['no knex', { knex: undefined }, 'knex'],
  ['an object as knex', { knex: {} }, 'knex'],
  ['options as text', { options: 'feed_tokens' }, 'options'],
  ['an empty table', { options: { table: '' } }, 'table'],
  ['a table with a quote', { options: { table: 'a`b' } }, 'table'],
  ['a timeout of 0', { options: { timeout: 0 } }, 'timeout'],
  ['a timeout as text', { options: { timeout: '5000' } }, 'timeout'],
  ['a clock that is none', { options: { now: 5 } }, 'now'],
  ['a misspelt option', { options: { tabel: 'feed_tokens' } }, 'tabel'],
]

for (const [what, given, option] of WRONG) {
  test(`sqlFeedTokens() with ${what} is an OptionInvalid that names '${option}'.`, async t => {
    const { knex, options } = { knex: (await newDatabase(t, 'sqlite')).open(), options: {}, ...(given as object) }
    const error = t.throws(() => sqlFeedTokens(knex as Knex, options), { instanceOf: OptionInvalid })
    t.like(error, { where: 'sqlFeedTokens()', option })
  })
}
