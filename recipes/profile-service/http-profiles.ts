import type { AuthenticatedUser, ProfileSource } from 'koa-strata'
import { type Fields, isObject } from './fields.ts'
import { ProfileServiceError } from './profile-service-error.ts'

/** Options of `httpProfiles()`. */
export interface HttpProfilesOptions<Profile> {
  /** Where the service is, as `https://personnel.example.org/`. Plain http is for the loopback alone: a token goes along. */
  url: string
  /** The token that the service knows this application by (RFC 6750). */
  token: string
  /** Makes a profile of what the service answers for one. @throws ProfileServiceError where it is none */
  read(fields: Fields): Profile
  /** How long one answer may take, from connecting to its last byte, in milliseconds. @default 2000 */
  deadline?: number | undefined
}

/** As much as an answer may have, in bytes, and as much again for each of many users: a key takes up to 6,144 as JSON. */
const MOST_BYTES = 16_384
/** What tokens are made of (RFC 6750 §2.1). Anything else would stand in the error of `fetch`. */
const TOKEN = /^[\w.~+/-]+=*$/

/**
 * Profiles of a service that answers by HTTP and knows people by the keys of their users. All look-ups that are asked for at once are one
 * request. What it answers is taken for a profile, or for "has none", only where it says so of this very user; whatever else comes, or does
 * not come in time, rejects with a `ProfileServiceError`. A request that was given up is ended, with its connection.
 * @throws TypeError at construction, naming the option that is wrong
 */
export function httpProfiles<Profile extends object>(
  options: HttpProfilesOptions<Profile>,
): Required<ProfileSource<Profile>> {
  const { url, token, read, deadline = 2000 } = options
  const base = serviceAt(url)
  if (!TOKEN.test(token)) throw new TypeError("httpProfiles(): 'token' must be a bearer token (RFC 6750 §2.1).")
  if (!Number.isSafeInteger(deadline) || deadline < 1)
    throw new TypeError("httpProfiles(): 'deadline' must be a whole number of milliseconds.")
  const authorization = `Bearer ${token}`

  /** @param body what to look up by, sent as JSON @param most the most bytes of the answer @param expected the statuses whose answer is read */
  const ask = async (address: URL, body: object | null, most: number, expected: number[]): Promise<unknown> => {
    try {
      const response = await fetch(address, {
        headers: { accept: 'application/json', authorization, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
        // The token is for this address alone.
        redirect: 'manual',
        signal: AbortSignal.timeout(deadline),
      })
      if (!expected.includes(response.status)) {
        await response.body?.cancel()
        throw new ProfileServiceError(`answered ${response.status}`)
      }
      return parsed(await bytesOf(response, most))
    } catch (error) {
      throw failure(error, deadline)
    }
  }

  const profileIn = (entry: unknown, { key }: AuthenticatedUser): Profile | null => {
    if (!isObject(entry)) throw new ProfileServiceError('answered no entry for somebody')
    if (entry.user !== key) throw new ProfileServiceError('answered with the profile of another user')
    if (entry.profile === null) return null
    if (!isObject(entry.profile)) throw new ProfileServiceError('answered a profile that is no object')
    return read(entry.profile)
  }

  return {
    async find(user) {
      // In the query, since proxies refuse or rewrite what is escaped in a path.
      const address = new URL(`profile?user=${encodeURIComponent(user.key)}`, base)
      return profileIn(await ask(address, null, MOST_BYTES, [200, 404]), user)
    },
    async findMany(users) {
      const body = { users: users.map(({ key }) => key) }
      const answer = await ask(new URL('profiles/look-up', base), body, MOST_BYTES * (users.length + 1), [200])
      const entries = isObject(answer) ? answer.profiles : undefined
      if (!Array.isArray(entries) || entries.length !== users.length)
        throw new ProfileServiceError('did not answer with one entry for each user')
      return users.map((user, index) => profileIn(entries[index], user))
    },
  }
}

function serviceAt(url: string): URL {
  const base = URL.parse(url)
  const isLoopback = base?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(base.hostname)
  if (!base || (base.protocol !== 'https:' && !isLoopback) || base.username || base.password || base.search)
    throw new TypeError(
      "httpProfiles(): 'url' must be an https address without credentials and query; http is for the loopback alone.",
    )
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return base
}

/** Reads no more than that: the rest is not waited for. */
async function bytesOf({ body }: Response, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > most) throw new ProfileServiceError(`answered more than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // The parser's own error quotes the text.
    throw new ProfileServiceError('answered what is no JSON')
  }
}

function failure(error: unknown, deadline: number): ProfileServiceError {
  if (error instanceof ProfileServiceError) return error
  const { name, cause } = error as Error
  if (name === 'TimeoutError') return new ProfileServiceError(`did not answer within ${deadline} ms`)
  const { code, name: reason } = Object(cause) as Partial<Error & { code: string }>
  return new ProfileServiceError(`could not be asked: ${code ?? reason ?? name}`)
}
