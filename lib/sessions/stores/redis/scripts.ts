import { createHash } from 'node:crypto'

/** A script of one key that answers a list of texts. */
export interface RedisScript {
  readonly lua: string
  /** What EVALSHA calls it. */
  readonly sha1: string
}

/** The script of this Lua. */
export function script(lua: string): RedisScript {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') }
}

/** `state` tells what a key holds, whose head is as record.ts says; moments of 16 digits compare as text. */
const HEAD = `
local head = redis.call('GETRANGE', KEYS[1], 0, 107)
local version, expires, indexed, owner = head:sub(1, 22), head:sub(23, 38), head:sub(39, 54), head:sub(55, 108)
local function state(now)
  if head == '' then return 'gone' end
  if #head < 108 or not head:find('^[%w_-]+$') or not head:sub(23, 54):find('^%d+$') then return 'foreign' end
  if tonumber(expires) > tonumber(now) then return 'live' end
  return 'gone'
end
`

/**
 * Adds a record where there is no live one. ARGV: now, time to live, record. Answers 'stored' or 'taken'; 'stored' for a call that the client
 * sent twice, too.
 */
export const CREATE = script(`${HEAD}
if version == ARGV[3]:sub(1, 22) then return {'stored'} end
if state(ARGV[1]) ~= 'gone' then return {'taken'} end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
return {'stored'}
`)

/**
 * Swaps the record of one version for another. ARGV: now, time to live, record, version, 'indexed' or ''. Answers 'gone', 'changed', 'stored'
 * with the owner before, or 'index' with the owner before: nothing was stored, and the user's index is to hold the session first.
 */
export const REPLACE = script(`${HEAD}
local record = ARGV[3]
if version == record:sub(1, 22) then return {'stored', record:sub(55, 108)} end
local is = state(ARGV[1])
if is == 'gone' then return {'gone'} end
if is == 'foreign' then version, owner = 'foreign', '' end
if version ~= ARGV[4] then return {'changed'} end
if ARGV[5] == '' and record:sub(55, 97) ~= ('-'):rep(43) then
  if owner:sub(1, 43) ~= record:sub(55, 97) or record:sub(23, 38) > indexed then return {'index', owner} end
  record = record:sub(1, 38) .. indexed .. owner .. record:sub(109)
end
redis.call('SET', KEYS[1], record, 'PX', ARGV[2])
return {'stored', owner}
`)

/**
 * Sets the expiry of a live record. ARGV: now, time to live, expiresAt, and once the index of this owner holds the session until then: until
 * when, owner. Answers 'gone', 'stored', or 'index' with the owner: nothing was stored, and the owner's index is to hold the session first.
 */
export const TOUCH = script(`${HEAD}
if state(ARGV[1]) ~= 'live' then return {'gone'} end
if owner == ARGV[5] then indexed = ARGV[4] end
if ARGV[3] > indexed and owner:sub(1, 43) ~= ('-'):rep(43) then return {'index', owner} end
redis.call('SETRANGE', KEYS[1], 22, ARGV[3] .. indexed)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'stored'}
`)

/** Removes a record that is a user's. ARGV: the user's digest. Answers 'ended' with the owner, or 'gone'. */
export const END = script(`${HEAD}
if state('0') ~= 'live' or owner:sub(1, 43) ~= ARGV[1] then return {'gone'} end
redis.call('DEL', KEYS[1])
return {'ended', owner}
`)

/**
 * Holds a session in a user's index. ARGV: entry, until when, what has passed, time to live. Entries whose moment has passed go; a later moment
 * than the one told, and a longer time to live of the index, stay.
 */
export const HOLD = script(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
local held = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not held or tonumber(held) < tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return {'held'}
`)
