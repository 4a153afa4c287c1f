import type { Middleware, ParameterizedContext } from 'koa'
import { CrossSiteRequest, OptionInvalid } from '../errors.ts'
import { knownOptions } from '../options.ts'

/** Options of `sameOrigin()`. */
export interface SameOriginOptions {
  /** Other origins whose pages may change state here, as `https://admin.example.com`. @default none */
  origins?: readonly string[] | undefined
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE']

/**
 * Refuses state-changing requests that a page of another site makes a browser send (403), by Sec-Fetch-Site (Fetch Metadata) and, from
 * browsers that do not send it, by Origin (RFC 6454). Clients that send neither are no browsers: nobody's cookies are abused through them.
 * Safe methods (RFC 9110 §9.2.1) pass.
 * @throws OptionInvalid at construction
 */
export function sameOrigin(options: SameOriginOptions = {}): Middleware {
  knownOptions('sameOrigin()', options, ['origins'])
  const { origins = [] } = options
  if (!Array.isArray(origins)) throw new OptionInvalid('sameOrigin()', 'origins', 'must be a list of origins.')
  const allowed = new Set(origins.map(checkOrigin))
  return async function sameOriginGuard(ctx, next) {
    if (!SAFE_METHODS.includes(ctx.method) && !isAllowed(ctx, allowed)) throw new CrossSiteRequest()
    await next()
  }
}

function isAllowed(ctx: ParameterizedContext, allowed: ReadonlySet<string>): boolean {
  const { origin, 'sec-fetch-site': site } = ctx.req.headers
  if (origin !== undefined && allowed.has(origin)) return true
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (origin === undefined) return true
  return isOfThisHost(origin, ctx)
}

/** Only a proxy may know whether the browser came over https, so a page on https counts on plain http too; never the other way round. */
function isOfThisHost(origin: string, ctx: ParameterizedContext): boolean {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return false
  const { protocol, host } = new URL(origin)
  if (ctx.secure && protocol === 'http:') return false
  const here = `${protocol}//${ctx.host}`
  return URL.canParse(here) && new URL(here).host === host
}

function checkOrigin(origin: unknown, index: number): string {
  if (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin) {
    throw new OptionInvalid(
      'sameOrigin()',
      `origins[${index}]`,
      "must be an origin without a path, as 'https://admin.example.com'.",
    )
  }
  return origin
}
