import { OptionInvalid } from '../errors.ts'
import { checkText, knownOptions } from '../options.ts'

/** Options of `publicUrl()`. */
export interface PublicUrlOptions {
  /**
   * What people see the site at, as `https://www.example`; or a function that says so, which is asked when the origin is first used, and not again
   * once it has answered.
   */
  origin: string | (() => string)
  /** The path below which the site is, as `/webapps`. @default '': the whole of the origin */
  prefix?: string | undefined
}

/** The public addresses of a site: call it with a path of the application, as `/jobs.atom`, for the absolute address. */
export interface PublicUrl {
  /** @throws OptionInvalid where the path would lead off the site, or the origin is none */
  (path: string): string
  /** The path as the world sees it: with the prefix. For links, forms and `Location`. It asks for no origin. @throws OptionInvalid where it would lead off the site */
  path(path: string): string
  /** The site's origin (RFC 6454 §6.2). @throws OptionInvalid where it is none */
  readonly origin: string
}

const WHERE = 'publicUrl()'
const PREFIX = /^(\/[\w.~!$&'()*+,;=:@%-]+)*$/
/** Stands for the origin where it does not matter which one it is. */
const ANY_ORIGIN = 'http://any.invalid'

/**
 * Makes absolute addresses that do not depend on a request: for feeds, redirects and pages, and as well for e-mail that a command-line job writes.
 * No header of a request ever reaches them.
 * @throws OptionInvalid at construction, naming the option that is wrong; at first use for an origin that a function says
 */
export function publicUrl(options: PublicUrlOptions): PublicUrl {
  knownOptions(WHERE, options, ['origin', 'prefix'])
  const { origin, prefix = '' } = options
  checkText(WHERE, 'prefix', prefix, PREFIX, "must be a path without a '/' at its end, as '/webapps'.")
  if (prefix.split('/').some(segment => /^(\.|%2e){1,2}$/i.test(segment)))
    throw new OptionInvalid(WHERE, 'prefix', "must be a path without '.' and '..'.")
  let resolved = typeof origin === 'function' ? null : checkOrigin(origin)
  const originOf = () => {
    resolved ??= checkOrigin((origin as () => string)())
    return resolved
  }

  const url = (path: string) => originOf() + pathOf(prefix, path)
  return Object.defineProperties(url, {
    path: { value: (path: string) => pathOf(prefix, path) },
    origin: { get: originOf },
  }) as PublicUrl
}

function pathOf(prefix: string, path: unknown): string {
  if (typeof path === 'string' && /^\/(?!\/)/.test(path) && !/[\p{Cc}\\]/u.test(path)) {
    // By itself it would leave out spaces at the end.
    const { origin, pathname, search, hash } = new URL(prefix + path.replace(/ +$/, encodeURI), ANY_ORIGIN)
    if (origin === ANY_ORIGIN && pathname.startsWith(`${prefix}/`) && !pathname.startsWith('//'))
      return pathname + search + hash
  }
  throw new OptionInvalid(WHERE, 'path', "must be a path of this site that begins with one '/', as '/jobs.atom'.")
}

function checkOrigin(origin: unknown): string {
  const isOrigin = typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin
  if (isOrigin && /^https?:/.test(origin)) return origin
  const problem =
    "must be 'https://' or 'http://' and a host in lower case, without a path, as 'https://www.example', or a function that answers that"
  throw new OptionInvalid(WHERE, 'origin', `${problem}${origin === undefined ? ', not nothing' : ''}.`)
}
