import type { IncomingMessage } from 'node:http'
import { unescape as decode } from 'node:querystring'
import type { ParameterizedContext } from 'koa'

const NAME = 'token'
/** What stands before the parameters of an address, them, and the fragment, which clients should not send. */
const PARTS = /^([^?#]*)\?([^#]*)(.*)$/s
/** The fields of a request in which its address, or the one of the page before, stands once more: the latter one is HTTP/2's. */
const FIELDS = ['referer', ':path']

/** Tokens that were taken out of the addresses of requests, for a further guard on the same route. */
const taken = new WeakMap<IncomingMessage, string>()

/**
 * The token in the address of a request, `?token=…`, which is taken out of it there and wherever else Koa keeps the address, so that whatever logs
 * it from here on does not log it. What stands beside it stays byte for byte. Undefined where there is none; the empty text, which is no token,
 * where there are several.
 */
export function takeUrlToken(ctx: ParameterizedContext): string | undefined {
  const values = parametersOf(ctx.url).filter(isToken).map(textOf)
  if (values.length > 0) {
    taken.set(ctx.req, values.length === 1 ? values[0]! : '')
    ctx.url = withoutToken(ctx.url)
    ctx.originalUrl = withoutToken(ctx.originalUrl)
    ctx.request.originalUrl = ctx.originalUrl
    // Koa makes these anew from the address when they are asked for.
    Object.assign(ctx.request, { memoizedURL: undefined, _querycache: undefined })
    Object.assign(ctx.req, { _parsedUrl: undefined })
  }
  for (const name of FIELDS) {
    const value = ctx.headers[name]
    if (typeof value === 'string') ctx.headers[name] = withoutToken(value)
  }
  return taken.get(ctx.req)
}

function withoutToken(url: string): string {
  const parameters = parametersOf(url)
  const others = parameters.filter(parameter => !isToken(parameter))
  if (others.length === parameters.length) return url
  const [, before, , fragment] = PARTS.exec(url)!
  return `${before}${others.length === 0 ? '' : `?${others.join('&')}`}${fragment}`
}

function parametersOf(url: string): string[] {
  return PARTS.exec(url)?.[2]?.split('&') ?? []
}

/** Koa overlooks a `?` before the first of them. */
function isToken(parameter: string): boolean {
  return decode(parameter.split('=', 1)[0]!.replace(/^\?/, '')) === NAME
}

function textOf(parameter: string): string {
  const equals = parameter.indexOf('=')
  return equals < 0 ? '' : decode(parameter.slice(equals + 1))
}
