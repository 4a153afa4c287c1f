import { posix } from 'node:path'
import type { ParameterizedContext } from 'koa'
import { checkText } from '../options.ts'
import { hostOf, hostsListed } from './hosts.ts'

const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~!$&'()*+,;=:@-]+)+$/

/**
 * For `realms()`: matches a path and all that is below it, `/admin` and `/admin/users` and not `/administrators`. It matches whatever could lead
 * there: in upper or lower case, as routers take it by default; and also with what servers of files undo, as `/%61dmin`, `//admin` and
 * `/x/../admin`. So no route and no file below the path is reached past it.
 * @throws OptionInvalid on a path that does not begin with '/', ends in one, or is written with escapes
 */
export function atPath(path: string): (ctx: ParameterizedContext) => boolean {
  checkText(
    'atPath()',
    'path',
    path,
    PATH,
    "must be a path of plain ASCII without a '/' at its end, as '/admin'. For every request leave match out.",
  )
  const root = path.toLowerCase()
  const isBelow = (asked: string) => {
    const lower = asked.toLowerCase()
    return lower === root || lower.startsWith(`${root}/`)
  }
  return ctx => readings(ctx.path).some(isBelow)
}

/**
 * For `realms()`: matches requests for one of these hosts, by `ctx.host`, whatever the port and the case. `*.example` is whatever is below a name. Behind
 * a proxy it is `X-Forwarded-Host` that says so: `trustedProxies()` has nobody else say it.
 * @throws OptionInvalid on what is no host, or one with a port
 */
export function atHost(...hosts: string[]): (ctx: ParameterizedContext) => boolean {
  const isListed = hostsListed('atHost()', 'hosts', hosts)
  return ctx => {
    const host = hostOf(ctx.host)
    return host !== null && isListed(host)
  }
}

/** What routers and servers of files, of either kind of system, may take a path for. */
function readings(path: string): string[] {
  const plain = decoded(path)
  const texts = [path, plain, plain.replaceAll('\\', '/')]
  return [...texts, ...texts.map(text => posix.normalize(text))]
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
