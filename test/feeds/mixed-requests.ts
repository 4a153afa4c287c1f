import fc from 'fast-check'
import { newFeedToken } from '../../lib/feeds/tokens.ts'
import type { Answer } from '../sessions/app.ts'
import { type CachedSite, MARKER, type Reader } from './cached-site.ts'
import { basic } from './people.ts'

/** Feeds for whoever logs in, feeds for some of them, pages that say who is there, and what is for everybody. */
const FEEDS = ['/feed', '/feed-plain', '/conditional/feed', '/conditional/feed-plain'] as const
const REPORTS = ['/reports', '/conditional/reports'] as const
const PAGES = ['/page', '/page-plain', '/mine', '/nowhere'] as const
const PUBLIC = ['/public', '/public-feed'] as const
const PATHS = [...FEEDS, ...REPORTS, ...PAGES, ...PUBLIC, '/begin', 'login and logout'] as const
const WAYS = [
  'nothing',
  'a session',
  'an ended session',
  'a forged cookie',
  'Basic',
  'a wrong password',
  'a token in the address',
  'a token as password',
  'a revoked token',
  'a session beside the Basic of another',
] as const
const CONDITIONS = ['nothing known', 'own ETag', 'ETag of another', 'any ETag', 'date'] as const
/** How many requests are on their way at once. */
const AT_ONCE = 64

interface Asked {
  path: (typeof PATHS)[number]
  way: (typeof WAYS)[number]
  condition: (typeof CONDITIONS)[number]
  method: 'GET' | 'HEAD'
  who: Reader
  other: Reader
}

/** Who somebody is to the site. */
interface Identity {
  session: Reader | null
  /** Whom the credentials are of: null where they are wrong, undefined where there are none. */
  credentials?: Reader | null
}

/** What somebody sends to show it. */
interface Shown extends Identity {
  headers: Record<string, string>
  query?: string
}

const NOTHING: Shown = { session: null, headers: {} }

/** What is right to answer. */
interface Expected {
  status: number
  /** Whose marker may be in it; null for nobody's. */
  reader: Reader | null
}

/** What came of a mix of requests. */
export class Tally {
  requests = 0
  readonly public = { requests: 0, hits: 0 }
  /** Private answers with 304. */
  notModified = 0
  /** What the cache said of its answers, and how often. */
  readonly cache: Record<string, number> = {}
  /** What somebody got of somebody else's: a body, a validator, a cookie, a 304 about what they may not have. */
  readonly leaks: string[] = []
  /** Answers that were not what was asked for. */
  readonly wrong: string[] = []
  readonly #given = new Set<string>()

  /** Looks at an answer for what is not the reader's. */
  look(what: string, { headers, text, setCookies }: Answer, reader: Reader | null): void {
    this.requests++
    const status = String(headers['x-cache-status'] ?? 'none')
    this.cache[status] = (this.cache[status] ?? 0) + 1
    const foreign = `${JSON.stringify(headers)}${text}`.match(MARKER)?.some(marker => marker !== reader?.marker)
    if (foreign) this.leaks.push(`${what}: the marker of somebody else`)
    for (const cookie of setCookies.map(line => line.split(';', 1)[0]!).filter(one => !one.endsWith('='))) {
      if (this.#given.has(cookie)) this.leaks.push(`${what}: a cookie that somebody else was given`)
      this.#given.add(cookie)
    }
  }
}

/** Sends so many requests of every kind, as the seed has it, many at once, and looks at all that comes back. */
export async function mixedRequests(site: CachedSite, count: number, seed: number): Promise<Tally> {
  const tally = new Tally()
  const cookies = await cookiesOf(site)
  const ended = await cookiesOf(site, 'ended')
  const asked = fc.sample(requestTo(site.readers), { numRuns: count, seed })

  const ask = async (one: Asked): Promise<void> => {
    const { path, method, way, condition } = one
    if (path === 'login and logout') return comeAndGo(site, tally, one.who)
    const { headers, query = '', ...identity } = path === '/begin' ? NOTHING : shown(one, cookies, ended)
    const expected = expectedAt(path, identity)
    const answer = await site.browser().get(path + query, { ...headers, ...conditions(one) }, method)
    const what = `${method} ${path} with ${way}, ${condition}: ${answer.status}`
    tally.look(what, answer, expected.reader)
    if (answer.setCookies.length > 0 && path !== '/begin') tally.leaks.push(`${what}: a cookie`)
    const isPublic = (PUBLIC as readonly string[]).includes(path)
    if (isPublic) {
      tally.public.requests++
      if (!/^(MISS|EXPIRED|undefined)$/.test(String(answer.headers['x-cache-status']))) tally.public.hits++
    } else if (answer.status === 304) {
      tally.notModified++
      if (!mayHaveIt(one, expected)) tally.leaks.push(`${what} to somebody who has nothing of it`)
    }
    const body = isPublic ? 'public' : path === '/begin' ? 'begun' : (expected.reader?.marker ?? 'nobody')
    if (answer.status !== 304 && answer.status !== expected.status) tally.wrong.push(`${what}, not ${expected.status}`)
    else if (answer.status === 200 && method === 'GET' && !answer.text.includes(body))
      tally.wrong.push(`${what}: ${answer.text}`)
  }

  let next = 0
  const askOn = async () => {
    while (next < asked.length) await ask(asked[next++]!)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, askOn))
  return tally
}

function requestTo(readers: readonly Reader[]): fc.Arbitrary<Asked> {
  return fc.record({
    path: fc.constantFrom(...PATHS),
    way: fc.constantFrom(...WAYS),
    condition: fc.constantFrom(...CONDITIONS),
    method: fc.constantFrom('GET', 'GET', 'HEAD'),
    who: fc.constantFrom(...readers),
    other: fc.constantFrom(...readers),
  })
}

/** A cookie for each reader, of a session that they are logged in by, or that has ended. */
function cookiesOf(site: CachedSite, state: 'ended' | 'live' = 'live'): Promise<Map<Reader, string>> {
  const pairs = site.readers.map(async (reader, index): Promise<[Reader, string]> => {
    const browser = site.browser()
    await browser.get(`/login/${index}`)
    const { cookie } = browser
    if (state === 'ended') await browser.get('/logout')
    return [reader, cookie]
  })
  return Promise.all(pairs).then(all => new Map(all))
}

function shown({ way, who, other }: Asked, cookies: Map<Reader, string>, ended: Map<Reader, string>): Shown {
  const cookie = cookies.get(who)!
  const authorization = basic(who.user.username, who.password)
  switch (way) {
    case 'nothing':
      return NOTHING
    case 'a session':
      return { session: who, headers: { cookie } }
    case 'an ended session':
      return { session: null, headers: { cookie: ended.get(who)! } }
    case 'a forged cookie':
      return { session: null, headers: { cookie: `${cookie.slice(0, -6)}forged` } }
    case 'Basic':
      return { session: null, credentials: who, headers: { authorization } }
    case 'a wrong password':
      return { session: null, credentials: null, headers: { authorization: basic(who.user.username, 'wrong') } }
    case 'a token in the address':
      return { session: null, credentials: who, headers: {}, query: `?token=${who.token}` }
    case 'a token as password':
      return { session: null, credentials: who, headers: { authorization: basic(who.user.username, who.token) } }
    case 'a revoked token':
      return { session: null, credentials: null, headers: {}, query: `?token=${newFeedToken()}` }
    case 'a session beside the Basic of another':
      return { session: other, credentials: who, headers: { cookie: cookies.get(other)!, authorization } }
  }
}

function conditions({ condition, who, other }: Asked): Record<string, string> {
  if (condition === 'nothing known') return {}
  if (condition === 'date') return { 'if-modified-since': 'Sat, 07 Nov 2026 10:00:00 GMT' }
  if (condition === 'any ETag') return { 'if-none-match': '*' }
  return { 'if-none-match': `"${(condition === 'own ETag' ? who : other).marker}"` }
}

function expectedAt(path: Asked['path'], { session, credentials }: Identity): Expected {
  const mayRead = (reader: Reader | null | undefined) =>
    reader && ((REPORTS as readonly string[]).includes(path) ? reader.mayReadReports : true)
  if ((PUBLIC as readonly string[]).includes(path) || path === '/begin') return { status: 200, reader: null }
  if ((PAGES as readonly string[]).includes(path)) {
    if (path === '/nowhere') return { status: 404, reader: session }
    return { status: path === '/mine' && !session ? 401 : 200, reader: session }
  }
  if (mayRead(session)) return { status: 200, reader: session }
  if (mayRead(credentials)) return { status: 200, reader: credentials! }
  return { status: credentials || (session && credentials === undefined) ? 403 : 401, reader: session }
}

/** Whether 304 tells its reader of nothing but what they may have, and have. */
function mayHaveIt({ condition, who, other }: Asked, { status, reader }: Expected): boolean {
  if (status !== 200) return false
  if (condition === 'any ETag' || condition === 'date') return true
  return (condition === 'own ETag' && reader === who) || (condition === 'ETag of another' && reader === other)
}

/** In a browser of their own somebody logs in, reads, and logs out. */
async function comeAndGo(site: CachedSite, tally: Tally, who: Reader): Promise<void> {
  const browser = site.browser()
  const visit = async (path: string, reader: Reader | null, headers = {}) => {
    const answer = await browser.get(path, headers)
    tally.look(`${path} in a browser of ${who.user.username}`, answer, reader)
    return answer.status
  }
  await visit(`/login/${site.readers.indexOf(who)}`, who)
  const { cookie } = browser
  const statuses = [await visit('/feed', who), await visit('/page', who), await visit('/logout', null)]
  // As somebody who has copied the cookie would.
  statuses.push(await visit('/feed', null, { cookie }))
  if (statuses.join() !== '200,200,200,401') tally.wrong.push(`login and logout: ${statuses}`)
}
