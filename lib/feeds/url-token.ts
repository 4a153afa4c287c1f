import { unescape as decode } from 'node:querystring'
import type { ParameterizedContext } from 'koa'

const NAME = 'token'

/**
 * Takes the token out of the address of a request, `?token=…`, so that whatever logs the address from here on does not log it. What stands beside
 * it stays byte for byte. Undefined where there is none; the empty text, which is no token, where there are several.
 */
export function takeUrlToken(ctx: ParameterizedContext): string | undefined {
  const values = parameters(ctx.querystring).filter(isToken).map(textOf)
  if (values.length === 0) return undefined
  const { originalUrl } = ctx
  ctx.url = withoutToken(ctx.url)
  ctx.originalUrl = withoutToken(originalUrl)
  ctx.request.originalUrl = ctx.originalUrl
  return values.length === 1 ? values[0] : ''
}

function withoutToken(url: string): string {
  const start = url.indexOf('?')
  if (start < 0) return url
  const others = parameters(url.slice(start + 1)).filter(parameter => !isToken(parameter))
  return others.length === 0 ? url.slice(0, start) : `${url.slice(0, start)}?${others.join('&')}`
}

function parameters(query: string): string[] {
  return query === '' ? [] : query.split('&')
}

function isToken(parameter: string): boolean {
  return decode(parameter.split('=', 1)[0]!) === NAME
}

function textOf(parameter: string): string {
  const equals = parameter.indexOf('=')
  return equals < 0 ? '' : decode(parameter.slice(equals + 1))
}
