/**
 * One process of an application under attack: makes so many guesses at one account, and answers how many were let through. Usage: node process.ts
 * <what to count in, as JSON> <how many> <from how many addresses> <its number>
 */
import { once } from 'node:events'
import knexFactory, { type Knex } from 'knex'
import { createClient } from 'redis'
import { settleThrottle, type ThrottleOptions } from '../../../lib/users/throttle/options.ts'
import { Throttle } from '../../../lib/users/throttle/throttle.ts'

/** What processes count in. */
export interface Place {
  redis?: { url: string; prefix: string }
  sql?: Knex.Config
}

async function open({ redis, sql }: Place): Promise<{ options: ThrottleOptions; close: () => unknown }> {
  if (sql) {
    const knex = knexFactory(sql)
    return { options: { sql: knex }, close: () => knex.destroy() }
  }
  if (!redis) return { options: {}, close() {} }
  const client = createClient({ url: redis.url })
  await client.connect()
  return { options: { redis: client, prefix: redis.prefix }, close: () => client.destroy() }
}

const [place = '{}', guesses, addresses, number] = process.argv.slice(2)
const { options, close } = await open(JSON.parse(place))
const throttle = new Throttle(settleThrottle('process', { deadline: 30_000, ...options }))
process.send!('ready')
await once(process, 'message')
const answers = await Promise.all(
  Array.from({ length: Number(guesses) }, async (_, index) => {
    const credentials = { username: 'alice', password: `${number} ${index}` }
    const ip = `10.${number}.${index % Number(addresses)}.1`
    try {
      const attempt = await throttle.admit({
        credentials,
        ip: Number(addresses) === 1 ? '10.0.0.1' : ip,
        deviceFor: () => null,
      })
      await new Promise(setImmediate)
      await attempt.settle('failed')
      return true
    } catch {
      return false
    }
  }),
)
process.send!(answers.filter(Boolean).length)
await close()
process.disconnect()
