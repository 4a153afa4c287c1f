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
  const allowed = new Set((options.origins ?? []).map(checkOrigin))
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
  return URL.canParse(origin) && new URL(origin).host === ctx.host
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
