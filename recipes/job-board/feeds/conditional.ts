import { createHash } from 'node:crypto'
import type { ParameterizedContext } from 'koa'

/**
 * Answers with this text, or 304 where the client has it (RFC 9110 §13). The ETag is strong: it is made of the text.
 * @param changed when it last changed, in epoch milliseconds @param now the clock
 */
export function answerConditionally(
  ctx: ParameterizedContext,
  { type, text, changed, now }: { type: string; text: string; changed: number; now: number },
): void {
  const second = Math.floor(changed / 1000)
  ctx.status = 200
  ctx.type = `${type}; charset=utf-8`
  ctx.body = text
  ctx.etag = `"${createHash('sha256').update(text).digest('base64url')}"`
  // Somebody who has this second's Last-Modified would miss a later change within it.
  if (second > 0 && second < Math.floor(now / 1000)) ctx.lastModified = new Date(second * 1000)
  ctx.set('Cache-Control', 'private, no-cache')
  if (hasIt(ctx)) ctx.status = 304
}

/** If-None-Match decides where it is there (RFC 9110 §13.1.3); Koa's `ctx.fresh` would want both to hold. */
function hasIt(ctx: ParameterizedContext): boolean {
  const { 'if-none-match': known, 'if-modified-since': since } = ctx.req.headers
  if (known !== undefined) {
    const tags = known.split(',').map(tag => tag.trim().replace(/^W\//, ''))
    return tags.includes('*') || tags.includes(ctx.response.etag)
  }
  const { lastModified } = ctx.response
  return since !== undefined && lastModified !== undefined && lastModified.getTime() <= Date.parse(since)
}
