import { SessionDataInvalid } from '../../../errors.ts'

/** What the store calls of a memcached client: memcache-client's `MemcacheClient` has it. Answers other than success are errors named by the protocol's word. */
export interface MemcachedClient {
  gets(key: string): Promise<{ readonly value: unknown; readonly casUniq?: string | number } | undefined>
  add(key: string, value: string, options: { lifetime: number }): Promise<unknown>
  cas(key: string, value: string, options: { lifetime: number; casUniq: string }): Promise<unknown>
  delete(key: string): Promise<unknown>
  /** What it was made with. */
  readonly options?: { readonly server?: unknown }
}

const OTHER_CLIENT =
  'memcachedStore(): the client does not answer as memcache-client does. Hand over one of that package.'

/** What a key holds. */
export interface MemcachedItem {
  /** Text as it was stored; null for what the client could not unpack, or has unpacked to something else. */
  readonly text: string | null
  /** Names this very state of the key to the server; null where the client kept it to itself. */
  readonly token: string | null
}

/** What the key holds, or null. */
export async function findItem(client: MemcachedClient, key: string): Promise<MemcachedItem | null> {
  let found: Awaited<ReturnType<MemcachedClient['gets']>>
  try {
    found = await client.gets(key)
  } catch (error) {
    if (isUnpacking(error)) return { text: null, token: null }
    throw error
  }
  if (!found) return null
  if (found.casUniq === undefined) throw new TypeError(OTHER_CLIENT)
  const token = String(found.casUniq)
  if (token === '0')
    throw new Error('memcachedStore(): this memcached does not count changes. Start it without -C (--disable-cas).')
  return { text: typeof found.value === 'string' ? found.value : null, token }
}

/** Stores under a key that is free; false where it is not. */
export async function addItem(client: MemcachedClient, key: string, text: string, lifetime: number): Promise<boolean> {
  return acknowledged('STORED', client.add(key, text, { lifetime }), ['NOT_STORED'])
}

/** Stores where the key still is in the state that the token names; false where it is not. */
export async function swapItem(
  client: MemcachedClient,
  key: string,
  token: string | null,
  text: string,
  lifetime: number,
): Promise<boolean> {
  if (token !== null)
    return acknowledged('STORED', client.cas(key, text, { lifetime, casUniq: token }), ['EXISTS', 'NOT_FOUND'])
  await removeItem(client, key)
  return addItem(client, key, text, lifetime)
}

/** Frees a key. */
export async function removeItem(client: MemcachedClient, key: string): Promise<void> {
  await acknowledged('DELETED', client.delete(key), ['NOT_FOUND'])
}

/** Whether the server said that it did it; false for the refusals that are expected. Only its word counts: a client may take silence for success. */
async function acknowledged(word: string, call: Promise<unknown>, refusals: readonly string[]): Promise<boolean> {
  let answer: unknown
  try {
    answer = await call
  } catch (error) {
    const { message } = error as Error
    if (refusals.includes(message)) return false
    if (message.startsWith('SERVER_ERROR object too large'))
      throw new SessionDataInvalid(
        '',
        'is above the largest item that this memcached keeps. Store less, or start memcached with a larger -I.',
      )
    throw error
  }
  if (!Array.isArray(answer) || answer[0] !== word) throw new TypeError(OTHER_CLIENT)
  return true
}

/** Whether the client has failed at a value that it takes for JSON, or for compressed. The connection is well then. */
function isUnpacking(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof Error && /^No compressor available/.test(error.message))
}
