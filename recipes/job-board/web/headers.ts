import type { Middleware } from 'koa'

/** The pages need a stylesheet, an icon and forms to their own origin; everything else is refused by the browser. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Header fields of every response. Pages show private things, so they are not kept; what may be says so itself. */
export const pageHeaders: Middleware = async function pageHeaders(ctx, next) {
  ctx.set({
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  })
  await next()
}
