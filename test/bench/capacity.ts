/**
 * What requests cost the servers behind an app, what a session takes in each store, and what that comes to for many sessions: `npm run
 * bench:capacity`. The site is that of recipes/cluster, with a feed beside it, in a process of its own; the users are in a Galera cluster, the
 * sessions in one Redis, since a command costs a node of a Cluster the same. First each kind of request is sent one by one, and what it sends to
 * Redis and the database is counted; then many at a time, and the CPU time of each server is measured. STRATA_UPDATE=1 writes it all to
 * recipes/cluster/CAPACITY.md. Some 90 seconds.
 */
import { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { sqlFeedTokens } from '../../lib/feeds/sql-tokens.ts'
import { storeId } from '../../lib/sessions/id.ts'
import { redisStore } from '../../lib/sessions/stores/redis.ts'
import { hashPassword } from '../../lib/users/passwords.ts'
import { sqlUsers } from '../../lib/users/sql/users.ts'
import { createTables, openDatabase } from '../../recipes/cluster/database.ts'
import { inMarkdown, MadePart } from '../readme-table.ts'
import { startGalera } from '../servers/galera.ts'
import type { Owner } from '../servers/owner.ts'
import { startRedis } from '../servers/redis.ts'
import { Bench, type Cost, type Parts } from './capacity-bench.ts'
import { KINDS, PASSWORD, PEOPLE, type Person } from './capacity-kinds.ts'
import { plan } from './capacity-plan.ts'
import { storedBytes } from './capacity-stored.ts'

async function startParts(owner: Owner): Promise<Parts> {
  const [redisServer, galera] = [await startRedis(owner), await startGalera(owner)]
  const redis = new Redis(redisServer.url)
  owner.teardown(() => redis.disconnect())
  const [node] = galera.nodes
  const database = openDatabase(node!.url)
  owner.teardown(() => database.destroy())
  return {
    redis,
    redisUrl: redisServer.url,
    redisPid: redisServer.pid,
    database,
    databaseUrl: node!.url,
    sqlPid: node!.pid,
  }
}

/** Makes people who all have one password, and a boat each; those who log in have a token too. */
async function populate(database: Knex): Promise<Person[]> {
  await createTables(database)
  const first = await sqlUsers(database).create({ username: 'first', password: PASSWORD })
  const { id: _, ...row } = await database('users').where({ id: first.id }).first()
  const password = await hashPassword(PASSWORD)
  const rows = Array.from({ length: PEOPLE }, (_, number) => {
    const username = `person-${number}`
    return { ...row, username, username_canonical: username, password }
  })
  await database.batchInsert('users', rows, 100)
  await database.raw("insert into members (user_key, boat) select concat('sql:', id), 'a boat' from users")
  const tokens = sqlFeedTokens(database)
  const people: Person[] = []
  for (let number = 0; number < 150; number++) {
    const user = (await sqlUsers(database).find({ username: `person-${number}` }))!
    people.push({ name: user.username, token: (await tokens.create(user, { name: 'bench' })).token, cookie: '' })
  }
  return people
}

const ends: (() => unknown)[] = []
const owner: Owner = { teardown: end => ends.unshift(end) }
try {
  const parts = await startParts(owner)
  const people = await populate(parts.database)
  const bench = await Bench.start(owner, parts, people)
  await bench.logIn()
  const costs: Cost[] = []
  for (const kind of KINDS) costs.push(await bench.cost(kind))
  await bench.logIn()
  const [, id = ''] = /sid=([^.]+)/.exec(people[0]!.cookie)!
  const record = (await redisStore(parts.redis).read(storeId(id)))!
  const stored = await storedBytes(owner, parts.database, record)
  const number = (value: number, digits = 0) => value.toFixed(digits)
  const requests = inMarkdown([
    [
      'request',
      'Redis: commands',
      'Redis: bytes',
      'Redis: CPU, µs',
      'SQL: statements',
      'SQL: bytes',
      'SQL: CPU, µs',
      'SQL: bytes to other nodes',
      'app: CPU, ms',
    ],
    ...costs.map(cost => [
      cost.kind,
      number(cost.commands, 1),
      number(cost.redisBytes),
      number(cost.redisCpu),
      number(cost.statements, 1),
      number(cost.sqlBytes),
      number(cost.sqlCpu),
      number(cost.replicatedBytes),
      number(cost.appCpu / 1000, 2),
    ]),
  ])
  const json = JSON.stringify(record.data).length
  const sessions = inMarkdown([
    ['store', 'a session, bytes', 'of what'],
    ...stored.map(({ store, bytes, what }) => [store, number(bytes), what]),
  ])
  const parted = {
    requests,
    sessions: `The session is ${json} bytes of JSON.\n\n${sessions}`,
    plan: plan(costs, stored),
  }
  for (const [name, text] of Object.entries(parted)) {
    console.log(`\n${text}`)
    if (process.env.STRATA_UPDATE !== '1') continue
    await new MadePart(
      new URL('../../recipes/cluster/CAPACITY.md', import.meta.url),
      name,
      'test/bench/capacity.ts',
    ).write(text)
  }
} finally {
  for (const end of ends) await end()
}
