import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster, createSentinel, RESP_TYPES } from 'redis'
import { OptionInvalid } from '../../../lib/errors.ts'
import { parseContent } from '../../../lib/sessions/content.ts'
import type { IoredisClient } from '../../../lib/sessions/stores/redis/client.ts'
import { type RedisClient, type RedisStore, redisStore } from '../../../lib/sessions/stores/redis.ts'
import { newId, newUser } from '../../../lib/testing/store-under-test.ts'
import { sharedServer } from '../../servers/shared.ts'
import { openIoredis, openNodeRedis } from './redis/setup.ts'
import { handedClock } from './setups.ts'

const HOUR = 3_600_000
const record = (user: string | null = null, data: object = { mark: 1 }, expiresAt = Date.now() + HOUR) => ({
  data,
  user,
  expiresAt,
})

function newPrefix(): string {
  return `${randomBytes(8).toString('hex')}:`
}

async function sharedRedis(t: ExecutionContext): Promise<Redis> {
  const [url] = await sharedServer('redis')
  return openIoredis(t, url!)
}

/** An ioredis client whose commands a test can watch, or come between. */
function hooked(
  client: Redis,
  hook: (send: () => Promise<unknown>, args: string[]) => Promise<unknown>,
): IoredisClient {
  const { isCluster, options } = client
  return {
    isCluster,
    options,
    call: (command, args) => hook(() => client.call(command, args), [command, ...args]),
  }
}

/** The commands that a store has sent: each with its key. */
function watched(client: Redis, prefix: string): { client: IoredisClient; commands: string[] } {
  const commands: string[] = []
  const watching = hooked(client, (send, [command, ...args]) => {
    const key = command === 'EVALSHA' || command === 'EVAL' ? args[2]! : args[0]!
    if (command !== 'EVAL') commands.push(key.startsWith(`${prefix}user:`) ? 'index' : 'session')
    return send()
  })
  return { client: watching, commands }
}

// What is in Redis.

test("A user's index with a hundred sessions is kept in one piece, as Redis keeps short ones.", async t => {
  const client = await sharedRedis(t)
  const prefix = newPrefix()
  const store = redisStore(client, { prefix })
  const user = newUser()
  const ids = Array.from({ length: 100 }, newId)
  for (const id of ids) await store.create(id, record(user))
  const [index] = await client.keys(`${prefix}user:*`)
  t.is(await client.object('ENCODING', index!), 'listpack')
  t.deepEqual((await store.list(user)).map(({ id }) => id).toSorted(), ids.toSorted())
})

test('A session is one key that holds version, expiry, user and data, and expires some time after the session.', async t => {
  const client = await sharedRedis(t)
  const prefix = newPrefix()
  const store = redisStore(client, { prefix })
  const id = newId()
  const version = await store.create(id, record('sql:1', { a: ['é'] }))
  const value = await client.get(prefix + id)
  const { expiresAt } = (await store.read(id))!
  t.true(value!.startsWith(`${version}000${expiresAt}`))
  t.is(value!.slice(108), '["sql:1",{"a":["é"]}]')
  const lasts = await client.pttl(prefix + id)
  t.true(lasts > HOUR && lasts <= HOUR + 60_000, `${lasts}`)
})

test("A user's index expires some time after the last of the user's sessions.", async t => {
  const client = await sharedRedis(t)
  const prefix = newPrefix()
  const store = redisStore(client, { prefix })
  const id = newId()
  await store.create(id, record('sql:1', {}, Date.now() + 5 * HOUR))
  await store.create(newId(), record('sql:1'))
  const [index] = await client.keys(`${prefix}user:*`)
  const lasts = await client.pttl(index!)
  t.true(lasts > 5 * HOUR && lasts < 7 * HOUR, `${lasts}`)
  await store.touch(id, Date.now() + 50 * HOUR)
  t.true((await client.pttl(index!)) > 50 * HOUR)
})

test('A read is one command; so is a touch, a destroy, a save of somebody who stays logged in, and one of nobody.', async t => {
  const redis = await sharedRedis(t)
  const prefix = newPrefix()
  const { client, commands } = watched(redis, prefix)
  const store = redisStore(client, { prefix })
  const sent = async (call: () => Promise<unknown>) => {
    commands.length = 0
    await call()
    return commands.join(' ')
  }
  const [id, nobody] = [newId(), newId()]
  t.is(await sent(() => store.create(id, record('sql:1'))), 'index session')
  t.is(await sent(() => store.create(nobody, record())), 'session')
  t.is(await sent(() => store.read(id)), 'session')
  t.is(await sent(() => store.touch(id, Date.now() + HOUR)), 'session')
  let version = (await store.read(id))!.version
  const replace = (user: string | null) => async () => {
    version = await store.replace(id, version, record(user))
  }
  t.is(await sent(replace('sql:1')), 'session')
  t.is(await sent(replace('sql:2')), 'session index session index')
  t.is(await sent(replace(null)), 'session index')
  t.is(await sent(replace(null)), 'session')
  t.is(await sent(() => store.destroy(id)), 'session')
})

test('The entries of sessions that have ended do not pile up in the index.', async t => {
  const client = await sharedRedis(t)
  const { now, advance } = handedClock()
  const prefix = newPrefix()
  const store = redisStore(client, { prefix, now })
  const later = () => now() + 14 * 24 * HOUR
  const user = newUser()
  const begin = async () => {
    const id = newId()
    return { id, version: (await store.create(id, record(user, {}, later())))! }
  }
  const entries = async () => client.zcard((await client.keys(`${prefix}user:*`))[0] ?? '')
  for (let login = 0; login < 20; login++) {
    const { id, version } = await begin()
    await store.replace(id, version, record(null, { _ended: true }, now() + 60_000))
  }
  await Promise.all(Array.from({ length: 20 }, begin))
  await store.destroyAll(user)
  // Whatever is still on its way out went before this.
  await client.ping()
  t.is(await entries(), 0)

  for (let login = 0; login < 20; login++) {
    await store.destroy((await begin()).id)
    advance(24 * HOUR)
  }
  t.true((await entries()) <= 15, `${await entries()}`)
})

test('Two stores under different prefixes on one server are apart.', async t => {
  const client = await sharedRedis(t)
  const [one, other] = [redisStore(client, { prefix: newPrefix() }), redisStore(client, { prefix: newPrefix() })]
  const id = newId()
  await one.create(id, record('sql:1'))
  t.is(await other.read(id), null)
  t.deepEqual(await other.list('sql:1'), [])
  await other.destroyAll('sql:1')
  await other.destroy(id)
  t.truthy(await one.read(id))
})

for (const text of ['', 'not ours', '{"data":{}}', 'x'.repeat(200), '\0'.repeat(200), '0'.repeat(107)]) {
  test(`T2: A key that holds ${JSON.stringify(text.slice(0, 20))}, ${text.length} long, is answered so that the layer drops it.`, async t => {
    const client = await sharedRedis(t)
    const prefix = newPrefix()
    const store = redisStore(client, { prefix })
    const id = newId()
    await client.set(prefix + id, text)
    const found = await store.read(id)
    if (text === '') {
      t.is(parseContent(found!.data), 'corrupt')
      return
    }
    t.is(parseContent(found!.data), 'corrupt')
    t.is(found!.user, null)
    t.is(await store.create(id, record()), null)
    t.is(await store.replace(id, 'another', record()), 'changed')
    const version = await store.replace(id, found!.version, record())
    t.is((await store.read(id))?.version, version)
  })
}

for (const body of [
  '',
  'not json',
  '{"a":',
  '12',
  'null',
  '{}',
  '[]',
  '["sql:1"]',
  '[1,{}]',
  '["sql:1",[1]]',
  '[null,"x"]',
]) {
  test(`T2: A record whose body is ${JSON.stringify(body)} is answered so that the layer drops it.`, async t => {
    const client = await sharedRedis(t)
    const prefix = newPrefix()
    const store = redisStore(client, { prefix })
    const id = newId()
    const version = await store.create(id, record())
    const head = (await client.get(prefix + id))!.slice(0, 108)
    await client.set(prefix + id, head + body)
    const found = await store.read(id)
    t.is(parseContent(found!.data), 'corrupt')
    t.is(found!.version, version!)
    t.not(await store.replace(id, version!, record()), 'changed')
  })
}

test('T2: A key of another type is answered so that the layer drops it.', async t => {
  const client = await sharedRedis(t)
  const prefix = newPrefix()
  const id = newId()
  await client.hset(prefix + id, 'field', 'value')
  const store = redisStore(client, { prefix })
  t.is(parseContent((await store.read(id))!.data), 'corrupt')
  await t.throwsAsync(store.touch(id, Date.now() + HOUR), { message: /WRONGTYPE/ })
  await store.destroy(id)
  t.is(await store.read(id), null)
})

test('An expiry in fractions of a millisecond is cut off, and one that no clock reaches is kept as the last one.', async t => {
  const store = redisStore(await sharedRedis(t), { prefix: newPrefix() })
  const whole = Date.now() + HOUR
  for (const [given, kept] of [
    [whole + 0.75, whole],
    [Number.MAX_VALUE, 8.64e15],
    [Number.POSITIVE_INFINITY, 8.64e15],
  ] as const) {
    const id = newId()
    const version = await store.create(id, record('sql:1', {}, given))
    t.is((await store.read(id))?.expiresAt, kept)
    t.true(await store.touch(id, given))
    t.is((await store.read(id))?.expiresAt, kept)
    t.not(await store.replace(id, version!, record('sql:1', {}, given)), 'changed')
    t.is((await store.read(id))?.expiresAt, kept)
  }
})

for (const past of [0, -1, -0.5, -1e20, Number.NaN, Number.NEGATIVE_INFINITY, 1, Date.now() - 0.5]) {
  test(`A session that expires at ${past > 1 ? 'half a millisecond ago' : past} is absent, and its id free.`, async t => {
    const store = redisStore(await sharedRedis(t), { prefix: newPrefix() })
    const id = newId()
    t.truthy(await store.create(id, record('sql:1', {}, past)))
    t.is(await store.read(id), null)
    t.deepEqual(await store.list('sql:1'), [])
    const version = await store.create(id, record('sql:1'))
    t.truthy(version)
    t.true(await store.touch(id, past))
    t.is(await store.read(id), null)
    t.is(await store.replace(id, version!, record()), 'gone')
  })
}

test('A clock that answers fractions decides all the same.', async t => {
  let moment = 1_000_000.25
  const store = redisStore(await sharedRedis(t), { prefix: newPrefix(), now: () => moment })
  const id = newId()
  await store.create(id, record('sql:1', {}, 1_000_100))
  moment = 1_000_099.999
  t.truthy(await store.read(id))
  t.is((await store.list('sql:1')).length, 1)
  t.is(await store.create(id, record('sql:1', {}, 1_000_200)), null)
  moment = 1_000_100.001
  t.is(await store.read(id), null)
  t.false(await store.touch(id, 1_000_200))
  t.truthy(await store.create(id, record('sql:1', {}, 1_000_200)))
})

// The index.

for (const [what, failing] of [
  ['the index', 'index'],
  ['the session', 'session'],
] as const) {
  test(`A login that fails at ${what} leaves no session that is missing from the list.`, async t => {
    const redis = await sharedRedis(t)
    const prefix = newPrefix()
    const broken = hooked(redis, (send, args) => {
      const isIndex = args.some(arg => arg.startsWith(`${prefix}user:`))
      return isIndex === (failing === 'index') ? Promise.reject(new Error('broken')) : send()
    })
    const id = newId()
    await t.throwsAsync(redisStore(broken, { prefix }).create(id, record('sql:1')), { message: 'broken' })
    const store = redisStore(redis, { prefix })
    t.is(await store.read(id), null)
    t.deepEqual(await store.list('sql:1'), [])
    t.truthy(await store.create(id, record('sql:1')))
    t.is((await store.list('sql:1')).length, 1)
  })
}

test('A session that comes back to a user while its old entry is on its way out stays on the list.', async t => {
  const redis = await sharedRedis(t)
  const prefix = newPrefix()
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const removed: Promise<unknown>[] = []
  const slow = hooked(redis, (send, [command]) => {
    if (command !== 'ZREM') return send()
    removed.push(held.then(send))
    return removed.at(-1)!
  })
  const store = redisStore(slow, { prefix })
  const id = newId()
  let version: string = (await store.create(id, record('sql:1')))!
  version = await store.replace(id, version, record(null))
  await store.replace(id, version, record('sql:1'))
  t.is((await store.list('sql:1')).length, 1)
  release()
  t.deepEqual(await Promise.all(removed), [1])
  t.is((await store.list('sql:1')).length, 1)
})

test('A session that is touched beyond what its entry holds moves the entry on first.', async t => {
  const redis = await sharedRedis(t)
  const { now, advance } = handedClock()
  const prefix = newPrefix()
  const { client, commands } = watched(redis, prefix)
  const store = redisStore(client, { prefix, now })
  const id = newId()
  await store.create(id, record('sql:1', {}, now() + HOUR))
  for (let hours = 0; hours < 10; hours++) {
    advance(HOUR - 1)
    commands.length = 0
    t.true(await store.touch(id, now() + HOUR))
    t.deepEqual(commands, hours % 2 === 0 ? ['session'] : ['session', 'index', 'session'])
    // A login removes the entries whose moment has passed.
    await store.create(newId(), record('sql:1', {}, now() + 1))
    t.true((await store.list('sql:1')).some(one => one.id === id))
  }
})

test('A touch that meets another login of its session holds it in the list of its new user.', async t => {
  const redis = await sharedRedis(t)
  const { now, advance } = handedClock()
  const prefix = newPrefix()
  const store = redisStore(redis, { prefix, now })
  const id = newId()
  const version = await store.create(id, record('sql:1', {}, now() + HOUR))
  let met = false
  const meeting = hooked(redis, async (send, args) => {
    // Between what the touch has read and what it writes.
    if (!met && args.some(arg => arg.startsWith(`${prefix}user:`))) {
      met = true
      await store.replace(id, version!, record('sql:2', {}, now() + HOUR))
    }
    return send()
  })
  t.true(await redisStore(meeting, { prefix, now }).touch(id, now() + 9 * HOUR))
  t.true(met)
  advance(8 * HOUR)
  await store.create(newId(), record('sql:2', {}, now() + 1))
  t.true((await store.list('sql:2')).some(one => one.id === id))
  t.deepEqual(await store.list('sql:1'), [])
})

test('Calls that a client sends twice, because the connection broke before their answer, are answered as if sent once.', async t => {
  const redis = await sharedRedis(t)
  const twice = hooked(redis, async send => {
    await send().catch(() => {})
    return send()
  })
  const store = redisStore(twice, { prefix: newPrefix() })
  const id = newId()
  let version: string | null = await store.create(id, record('sql:1'))
  t.truthy(version)
  t.is(await store.create(id, record('sql:2')), null)
  for (const user of ['sql:1', 'sql:2', null, 'sql:3', null]) {
    version = await store.replace(id, version!, record(user))
    t.is((await store.read(id))?.version, version)
    t.is((await store.list('sql:1')).length, user === 'sql:1' ? 1 : 0)
  }
  t.true(await store.touch(id, Date.now() + HOUR))
})

test('Halves of surrogate pairs in a user key are told apart.', async t => {
  const store = redisStore(await sharedRedis(t), { prefix: newPrefix() })
  const id = newId()
  await store.create(id, record('x:\ud800'))
  await store.create(newId(), record('x:\ud801'))
  await store.destroyAll('x:\ud801')
  t.deepEqual(
    (await store.list('x:\ud800')).map(one => [one.id, one.user]),
    [[id, 'x:\ud800']],
  )
})

// Clients, however they are set.

/** Everything that goes through the client at least once. */
async function tryAll(t: ExecutionContext, store: RedisStore): Promise<string> {
  const id = newId()
  const data = { text: 'é🦊\ud800', list: [1.5, null] }
  const version = await store.create(id, record('sql:1', data))
  t.like(await store.read(id), { user: 'sql:1', data, version: version! })
  t.is(await store.create(id, record()), null)
  t.is(await store.replace(id, 'another', record()), 'changed')
  t.is(await store.replace(newId(), version!, record()), 'gone')
  const next = await store.replace(id, version!, record('sql:2', data))
  t.is((await store.read(id))?.version, next)
  t.true(await store.touch(id, Date.now() + 9 * HOUR))
  t.false(await store.touch(newId(), Date.now() + HOUR))
  t.deepEqual(
    (await store.list('sql:2')).map(one => one.id),
    [id],
  )
  const ended = newId()
  await store.create(ended, record('sql:2'))
  await store.destroyAll('sql:2', id)
  t.is(await store.read(ended), null)
  await Promise.all(Array.from({ length: 50 }, () => store.create(newId(), record('sql:2'))))
  t.is((await store.list('sql:2')).length, 51)
  return id
}

const BUFFERS = { commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } } as const

for (const [what, options] of Object.entries({
  'answers Buffers': BUFFERS,
  'speaks RESP 2': { RESP: 2 },
  'speaks RESP 2 and answers Buffers': { RESP: 2, ...BUFFERS },
} as const)) {
  test(`A node-redis client that ${what} does.`, async t => {
    const [url] = await sharedServer('redis')
    const client = createClient({ url: url!, ...options })
    t.teardown(() => client.destroy())
    await client.connect()
    await tryAll(t, redisStore(client, { prefix: newPrefix() }))
  })

  test(`A node-redis client of a Cluster that ${what} does.`, async t => {
    const client = createCluster({ rootNodes: (await sharedServer('redis-cluster')).map(url => ({ url })), ...options })
    t.teardown(() => client.destroy())
    await client.connect()
    await tryAll(t, redisStore(client, { prefix: newPrefix() }))
  })
}

for (const options of [
  { enableAutoPipelining: true },
  { stringNumbers: true },
  { protocol: 2 },
  { enableAutoPipelining: true, keyPrefix: 'app:' },
] as const) {
  test(`An ioredis client with ${JSON.stringify(options)} does.`, async t => {
    const [url] = await sharedServer('redis')
    const client = new Redis(url!, options)
    t.teardown(() => client.disconnect())
    await tryAll(t, redisStore(client, { prefix: newPrefix() }))
  })

  test(`An ioredis client of a Cluster with ${JSON.stringify(options)} does.`, async t => {
    const client = new Cluster(await sharedServer('redis-cluster'), { ...options, redisOptions: options })
    t.teardown(() => client.disconnect())
    await tryAll(t, redisStore(client, { prefix: newPrefix() }))
  })
}

test('A keyPrefix of the client comes before all keys, with either client, which then find each other.', async t => {
  const [url] = await sharedServer('redis')
  const plain = await sharedRedis(t)
  const keyPrefix = newPrefix()
  const nodeRedis = createClient({ url: url!, keyPrefix })
  const ioredis = new Redis(url!, { keyPrefix })
  t.teardown(() => Promise.all([nodeRedis.destroy(), ioredis.disconnect()]))
  await nodeRedis.connect()
  const ids = [await tryAll(t, redisStore(nodeRedis, { prefix: 'a:' }))]
  ids.push(await tryAll(t, redisStore(ioredis, { prefix: 'b:' })))
  t.truthy(await redisStore(ioredis, { prefix: 'a:' }).read(ids[0]!))
  t.truthy(await redisStore(nodeRedis, { prefix: 'b:' }).read(ids[1]!))
  t.truthy(await redisStore(plain, { prefix: `${keyPrefix}a:` }).read(ids[0]!))
  t.is((await redisStore(plain, { prefix: `${keyPrefix}b:` }).list('sql:2')).length, 51)
})

test('A keyPrefix of a Cluster client comes before all keys, with either client, which then find each other.', async t => {
  const urls = await sharedServer('redis-cluster')
  const keyPrefix = newPrefix()
  const nodeRedis = createCluster({ rootNodes: urls.map(url => ({ url })), keyPrefix })
  const ioredis = new Cluster(urls, { keyPrefix })
  t.teardown(() => Promise.all([nodeRedis.destroy(), ioredis.disconnect()]))
  await nodeRedis.connect()
  const id = await tryAll(t, redisStore(nodeRedis))
  t.truthy(await redisStore(ioredis).read(id))
})

// What is refused.

const notClients: Record<string, unknown> = {
  'nothing at all': undefined,
  null: null,
  'a URL': 'redis://127.0.0.1:6379',
  'an object': {},
  'a function': () => {},
  'a Map': new Map(),
  'the options of a client': { url: 'redis://127.0.0.1:6379' },
  'what only has call()': { call() {} },
  'what only has sendCommand()': { sendCommand() {} },
  'the legacy interface of node-redis': createClient().legacy(),
  'a sentinel of node-redis': createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }),
}
for (const [what, client] of Object.entries(notClients)) {
  test(`redisStore() refuses ${what} in place of a client, and says what is wanted.`, t => {
    const error = t.throws(() => redisStore(client as RedisClient), { instanceOf: OptionInvalid })
    t.is(error.where, 'redisStore()')
    t.is(error.option, 'client')
    t.regex(error.message, /createClient\(\) or createCluster\(\).*new Redis\(\) or new Cluster\(\)/)
  })
}

for (const scaleReads of ['slave', 'all', () => []] as const) {
  test(`redisStore() refuses an ioredis Cluster that reads from replicas: ${String(scaleReads)}.`, t => {
    const client = new Cluster([{ port: 1 }], { lazyConnect: true, scaleReads: scaleReads as 'all' })
    t.throws(() => redisStore(client), { instanceOf: OptionInvalid, message: /replica that lags/ })
  })
}

test('A node-redis Cluster that reads from replicas is told to ask the master all the same.', async t => {
  const asked: unknown[] = []
  const client = {
    withTypeMapping() {},
    nodeClient() {},
    async sendCommand(_key: string, isReadonly: boolean) {
      asked.push(isReadonly)
      return null
    },
  }
  t.is(await redisStore(client).read(newId()), null)
  t.deepEqual(asked, [false])
})

for (const [option, value] of [
  ['prefix', 'with space '],
  ['prefix', '{tag}:'],
  ['prefix', '}'],
  ['prefix', 'é:'],
  ['prefix', 'line\n'],
  ['prefix', 'x'.repeat(129)],
  ['prefix', 12],
  ['prefix', null],
  ['now', 0],
  ['now', null],
  ['ttl', 1000],
] as const) {
  test(`redisStore() refuses ${option} = ${JSON.stringify(value)} and names it.`, t => {
    const client = new Redis({ lazyConnect: true })
    const error = t.throws(() => redisStore(client, { [option]: value }), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.is(error.where, 'redisStore()')
  })
}

test('redisStore() takes every prefix that it says, and none at all.', t => {
  const client = new Redis({ lazyConnect: true })
  for (const prefix of ['', 'a', 'app/sessions|~!', 'x'.repeat(128)]) t.notThrows(() => redisStore(client, { prefix }))
})

test('A client that is not connected makes every call reject, and answers none as absent.', async t => {
  const [url] = await sharedServer('redis')
  const nodeRedis = await openNodeRedis(t, url!)
  const ioredis = await openIoredis(t, url!)
  await nodeRedis.close()
  ioredis.disconnect()
  t.teardown(() => nodeRedis.connect())
  for (const client of [nodeRedis, ioredis]) {
    const store = redisStore(client, { prefix: newPrefix() })
    for (const call of [
      store.read(newId()),
      store.create(newId(), record('sql:1')),
      store.create(newId(), record()),
      store.replace(newId(), 'x', record()),
      store.touch(newId(), Date.now()),
      store.destroy(newId()),
      store.list('sql:1'),
      store.destroyAll('sql:1'),
    ]) {
      await t.throwsAsync(call)
    }
  }
})
