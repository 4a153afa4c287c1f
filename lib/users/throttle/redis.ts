import { commandsOf, type RedisClient } from '../../sessions/stores/redis/client.ts'
import { script } from '../../sessions/stores/redis/scripts.ts'
import type { FailureCounters } from './counters.ts'

/**
 * Adds a failure. ARGV: what it weighs, what all may weigh. Answers in how many milliseconds there will be room for it, 0 where there was. The
 * time that the key has to live is what its failures weigh, so that only the server's clock counts.
 */
const ADD = script(`
local weighs = math.max(redis.call('PTTL', KEYS[1]), 0) + tonumber(ARGV[1])
local over = weighs - tonumber(ARGV[2])
if over > 0 then return {tostring(over)} end
redis.call('SET', KEYS[1], '', 'PX', weighs)
return {'0'}
`)

/** Takes a failure back. ARGV: what it weighs. */
const TAKE_BACK = script(`
local weighs = redis.call('PTTL', KEYS[1]) - tonumber(ARGV[1])
if weighs > 0 then redis.call('PEXPIRE', KEYS[1], weighs) else redis.call('DEL', KEYS[1]) end
return {'taken back'}
`)

/**
 * Counters in Redis, one server or a Cluster.
 * @param prefix what keys begin with
 * @throws OptionInvalid, naming `option` of `where`, for what is no client
 */
export function redisCounters(where: string, option: string, client: RedisClient, prefix: string): FailureCounters {
  const commands = commandsOf(where, client, option)
  return {
    async add(key, { weight, most }) {
      const [over] = await commands.run(ADD, prefix + key, String(weight), String(most))
      return Number(over)
    },
    async takeBack(key, { weight }) {
      await commands.run(TAKE_BACK, prefix + key, String(weight))
    },
    async clear(key) {
      await commands.send('DEL', prefix + key)
    },
    async mark(key, lasts) {
      await commands.send('SET', prefix + key, '', 'PX', String(lasts))
    },
    async marked(key) {
      return Math.max(Number(await commands.send('PTTL', prefix + key)), 0)
    },
  }
}
