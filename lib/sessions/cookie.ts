import type { IncomingMessage } from 'node:http'
import { getPublicSuffix } from 'tldts'
import { OptionInvalid, SessionCookieTooLarge } from '../errors.ts'
import { checkOneOf, checkText, knownOptions } from '../options.ts'

/** The session's cookie. It is always HttpOnly. */
export interface CookieOptions {
  /** The name, without a prefix: secure cookies get `__Host-`, or `__Secure-` where a domain or another path is set. @default 'sid' */
  name?: string | undefined
  /** The domain whose hosts share the cookie; without it the cookie is the host's own. @default none */
  domain?: string | undefined
  /** @default '/' */
  path?: string | undefined
  /** Sent over https only. @default true where NODE_ENV is 'production' */
  secure?: boolean | undefined
  /** Which requests of other sites carry it. 'none' needs `secure`. @default 'lax' */
  sameSite?: 'strict' | 'lax' | 'none' | undefined
  /** One cookie jar per top-level site (CHIPS). Needs `secure`. @default false */
  partitioned?: boolean | undefined
}

/** A cookie as another framework sets it: false leaves SameSite out. */
export interface ExactCookieOptions extends Omit<CookieOptions, 'sameSite'> {
  sameSite?: CookieOptions['sameSite'] | false
}

const LARGEST = 4096
const LONGEST_NAME = 128
const TOKEN = /^[!#$%&'*+\-.^`|~\w]{1,128}$/
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/
const DOMAIN = /^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/i
/** A host that ends in a number is an address (WHATWG URL, "ends in a number checker"). */
const ADDRESS = /\.(\d+|0x[0-9a-f]*)$/i

/** A cookie whose attributes are settled: what is set, set anew and cleared is always the same cookie (RFC 6265 §5.3). */
export class SessionCookie {
  /** The name with its prefix. */
  readonly name: string
  readonly domain: string | undefined
  readonly #where: string
  readonly #settled: ExactCookieOptions
  readonly #isExact: boolean
  readonly #attributes: string

  /**
   * @param isExact whether the cookie is another framework's, by whose names and attributes it goes: no prefix is added, and SameSite may be left out
   * @throws OptionInvalid on options that are wrong or contradict each other
   */
  constructor(where: string, options?: CookieOptions)
  constructor(where: string, options: ExactCookieOptions, isExact: true)
  constructor(where: string, options: ExactCookieOptions = {}, isExact = false) {
    knownOptions(`${where} cookie`, options, ['name', 'domain', 'path', 'secure', 'sameSite', 'partitioned'])
    const name = options.name ?? 'sid'
    const path = options.path ?? '/'
    const secure = options.secure ?? process.env.NODE_ENV === 'production'
    const sameSite = options.sameSite ?? 'lax'
    const partitioned = options.partitioned ?? false
    const { domain } = options

    checkText(where, 'cookie.name', name, TOKEN, "must be a token of RFC 9110: letters, digits and !#$%&'*+-.^_`|~.")
    if (!isExact && /^__(host|secure)-/i.test(name)) {
      throw new OptionInvalid(
        where,
        'cookie.name',
        'must come without __Host- or __Secure-: a secure cookie gets the right one.',
      )
    }
    checkText(where, 'cookie.path', path, PATH, "must start with '/' and hold no ';' and no control characters.")
    checkOneOf(where, 'cookie.secure', secure, [true, false])
    checkOneOf(
      where,
      'cookie.sameSite',
      sameSite,
      isExact ? ['strict', 'lax', 'none', false] : ['strict', 'lax', 'none'],
    )
    checkOneOf(where, 'cookie.partitioned', partitioned, [true, false])
    if (sameSite === 'none' && !secure) throw new OptionInvalid(where, 'cookie.sameSite', "'none' needs secure: true.")
    if (partitioned && !secure) throw new OptionInvalid(where, 'cookie.partitioned', 'needs secure: true.')
    if (domain !== undefined) checkDomain(where, domain)

    this.name = secure && !isExact ? `${domain === undefined && path === '/' ? '__Host-' : '__Secure-'}${name}` : name
    this.domain = domain?.toLowerCase()
    this.#where = where
    this.#isExact = isExact
    this.#settled = { name, domain, path, secure, sameSite, partitioned }
    this.#attributes = [
      `Path=${path}`,
      ...(domain === undefined ? [] : [`Domain=${domain}`]),
      'HttpOnly',
      ...(secure ? ['Secure'] : []),
      ...(sameSite ? [`SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`] : []),
      ...(partitioned ? ['Partitioned'] : []),
    ].join('; ')
  }

  /** Another cookie, of the same attributes, whose name ends in `-<suffix>`. */
  beside(suffix: string): SessionCookie {
    const name = `${this.#settled.name!.slice(0, LONGEST_NAME - suffix.length - 1)}-${suffix}`
    const options = { ...this.#settled, name }
    return this.#isExact
      ? new SessionCookie(this.#where, options, true)
      : new SessionCookie(this.#where, options as CookieOptions)
  }

  /** Every value that the request sends under this name. */
  valuesIn(request: IncomingMessage): string[] {
    const header = request.headers.cookie
    if (header === undefined || !header.includes(this.name)) return []
    const values: string[] = []
    for (const pair of header.split(';')) {
      const equals = pair.indexOf('=')
      if (equals > 0 && pair.slice(0, equals).trim() === this.name) values.push(pair.slice(equals + 1).trim())
    }
    return values
  }

  /**
   * The Set-Cookie line that sets a value for `maxAge` milliseconds, or, where that is null, until the browser is closed.
   * @throws SessionCookieTooLarge above 4,096 bytes
   */
  set(value: string, maxAge: number | null): string {
    const lasts = maxAge === null ? '' : `Max-Age=${Math.ceil(maxAge / 1000)}; `
    const line = `${this.name}=${value}; ${lasts}${this.#attributes}`
    if (line.length > LARGEST) throw new SessionCookieTooLarge(line.length)
    return line
  }

  /** The Set-Cookie line that clears it. */
  clear(): string {
    return `${this.name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; ${this.#attributes}`
  }

  /** Whether a browser on this host would accept the cookie's domain (RFC 6265 §5.1.3). */
  covers(host: string): boolean {
    const lower = host.toLowerCase()
    return this.domain === undefined || lower === this.domain || lower.endsWith(`.${this.domain}`)
  }
}

/** The name of a cookie without the prefix that it has where it is secure. */
export function bareCookieName(name: string): string {
  return name.replace(/^__(?:Host|Secure)-/, '')
}

function checkDomain(where: string, domain: unknown): void {
  checkText(
    where,
    'cookie.domain',
    domain,
    DOMAIN,
    "must be a domain name of two or more labels, without a leading dot, as 'example.com'.",
  )
  const suffix = getPublicSuffix(domain as string, { allowPrivateDomains: true })
  if (suffix === null || ADDRESS.test(domain as string))
    throw new OptionInvalid(where, 'cookie.domain', 'must be a domain name, not an address.')
  if (suffix === (domain as string).toLowerCase()) {
    throw new OptionInvalid(
      where,
      'cookie.domain',
      `'${suffix}' is a public suffix: browsers refuse a cookie for all of it. Name a domain of your own.`,
    )
  }
}
