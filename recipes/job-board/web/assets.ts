import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Middleware } from 'koa'

interface Asset {
  readonly path: string
  readonly type: string
  readonly body: Buffer
}

const stylesheet = asset('style', 'css', 'text/css')
const icon = asset('icon', 'svg', 'image/svg+xml')
const assets = new Map([stylesheet, icon].map(one => [one.path, one]))

/** The address of the stylesheet: another one when it changes. */
export const STYLESHEET = stylesheet.path
/** The address of the icon, likewise. */
export const ICON = icon.path

/** Serves the files of the pages, for browsers to keep: what is behind one of these addresses never changes. */
export const serveAssets: Middleware = async function serveAssets(ctx, next) {
  const found = ['GET', 'HEAD'].includes(ctx.method) ? assets.get(ctx.path) : undefined
  if (!found) return next()
  ctx.type = found.type
  ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
  ctx.body = found.body
}

function asset(name: string, extension: string, type: string): Asset {
  const body = readFileSync(new URL(`../${name}.${extension}`, import.meta.url))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
  return { path: `/${name}.${hash}.${extension}`, type, body }
}
