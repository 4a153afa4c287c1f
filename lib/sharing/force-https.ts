import type { Middleware, ParameterizedContext } from 'koa'
import { secureBody } from './force-https/secure-body.ts'

/** Fields that say something of the very bytes, which change. */
const OF_THE_BYTES = ['Accept-Ranges', 'Content-Digest', 'Content-MD5', 'Digest', 'Repr-Digest']

/**
 * Has the pages that are answered over https (`ctx.secure`) ask for their sub-resources over https too: `http://` becomes `https://` where HTML
 * names what a browser fetches for the page itself, as images, scripts, style sheets, frames and media, and in `<base>`. Links, forms and all other
 * bytes stay as they were. It stands around what makes pages, and inside what compresses them:
 *
 * ```ts
 * app.use(compress())
 * app.use(forceHttps())
 * app.use(router.routes())
 * ```
 *
 * - What is markup is told by the HTML standard's parser, an address read by the URL standard. Port 80 is left out; another one is taken to speak
 *   https. Addresses of this machine (`localhost`, `127.0.0.1`, `[::1]`) stay: browsers trust them.
 * - Content of `<template>` counts: scripts put it into the page. What is text to the parser does not: scripts, styles (`url(…)`), `srcdoc`, `<noscript>`.
 *   For these, send `Content-Security-Policy: upgrade-insecure-requests` beside it.
 * - A page that streams is sent as it comes, held back only within a start tag; its Content-Length is left out.
 * - A strong ETag is made weak, whether or not something had to be changed: streams and HEAD do not know. Conditional requests compare weakly, so
 *   they go on answering 304. Digests and Accept-Ranges are taken out.
 * - Left alone: what is not `text/html`, is encoded (Content-Encoding) or partial (206), or says that its charset does not extend ASCII, as UTF-16 and
 *   ISO-2022-JP; answers that bypass Koa; Koa's own error pages, which are made past all middleware, and are plain text.
 *
 * Behind a proxy that ends TLS set `app.proxy`. A cache between that proxy and the application must keep http and https apart.
 */
export function forceHttps(): Middleware {
  return async function forceHttpsLayer(ctx, next) {
    await next()
    if (!ctx.secure || ctx.respond === false || ctx.headerSent) return
    if (ctx.status === 304) weakenKnownTag(ctx)
    else if (isPage(ctx)) securePage(ctx)
  }
}

function isPage(ctx: ParameterizedContext): boolean {
  const encoding = field(ctx, 'Content-Encoding').toLowerCase()
  return (
    ctx.response.type.trim().toLowerCase() === 'text/html' &&
    extendsAscii(field(ctx, 'Content-Type')) &&
    (encoding === '' || encoding === 'identity') &&
    ctx.status !== 206 &&
    ctx.response.get('Content-Range') === undefined
  )
}

function securePage(ctx: ParameterizedContext): void {
  const body = secureBody(ctx.body)
  if (body !== null) {
    if (typeof body !== 'string' && !Buffer.isBuffer(body)) ctx.remove('Content-Length')
    ctx.body = body
  } else if (ctx.method === 'HEAD') ctx.remove('Content-Length')
  for (const name of OF_THE_BYTES) ctx.remove(name)
  const tag = field(ctx, 'ETag')
  if (isStrong(tag)) ctx.set('ETag', `W/${tag}`)
}

/** A 304 does not say what it is of. If it is of a page, the client has the tag from here: then it says the weak one. */
function weakenKnownTag(ctx: ParameterizedContext): void {
  const tag = field(ctx, 'ETag')
  if (isStrong(tag) && ctx.get('If-None-Match').includes(`W/${tag}`)) ctx.set('ETag', `W/${tag}`)
}

function isStrong(tag: string): boolean {
  return tag.startsWith('"')
}

/** Whether bytes below 128 always stand for ASCII, by the charset of a Content-Type. The Encoding Standard knows few where they do not. */
function extendsAscii(contentType: string): boolean {
  const [, label] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType) ?? []
  if (label === undefined) return true
  try {
    return !/^(?:utf-16|iso-2022)/.test(new TextDecoder(label).encoding)
  } catch {
    // A charset that no browser knows, or knows to be dangerous.
    return false
  }
}

function field(ctx: ParameterizedContext, name: string): string {
  return String(ctx.response.get(name) ?? '').trim()
}
