import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Middleware, ParameterizedContext } from 'koa'
import { type Description, describe } from '../described.ts'
import { HostInvalid, HostUnknown, OptionInvalid } from '../errors.ts'
import { knownOptions } from '../options.ts'
import { hostOf, hostsListed } from './hosts.ts'
import { type Peers, peersOf } from './peers.ts'

/** Options of `trustedProxies()`. */
export interface TrustedProxiesOptions {
  /**
   * The hosts that the site goes by, without ports: names, addresses, and `*.example` for whatever is below a name. A request for another one is
   * answered with 421. @default any host
   */
  hosts?: readonly string[] | undefined
}

/** What a `trustedProxies()` was made with. */
export interface TrustedProxiesDescription extends Description {
  readonly by: 'trustedProxies()'
  readonly networks: readonly string[]
  /** null: any host. */
  readonly hosts: readonly string[] | null
}

const WHERE = 'trustedProxies()'

/**
 * Has `X-Forwarded-*` count only as far as listed proxies vouch for them, so that `ctx.ip`, `ctx.ips`, `ctx.protocol` and `ctx.host` are what those
 * say: addresses, networks in CIDR notation, and 'unix' for whoever connects to a Unix socket that the server listens on. Put it before all else,
 * and set `app.proxy = true`, which has Koa read these fields.
 *
 * - Of a request that comes from elsewhere, `X-Forwarded-*`, `Forwarded` and `app.proxyIpHeader` are dropped.
 * - From a listed proxy `X-Forwarded-For` (or `app.proxyIpHeader`) is read from its end, where each proxy writes whom it was asked by, up to the
 *   first address that is not listed: that is the client, and what stands before it is what the client claims, and is dropped.
 * - Of `X-Forwarded-Host` and `-Proto` the value counts that the outermost of those proxies wrote, whether each adds its own or the last replaces all.
 *   Each listed proxy must set both, or remove what the client sent: a field that it only passes on cannot be told from its own.
 * - A request that names no host, as HTTP/1.0 allows it, or what is none, is answered with HostInvalid (400), one beyond `hosts` with HostUnknown
 *   (421). So no other host reaches `ctx.host`, `ctx.origin`, `ctx.href` or an address made of these.
 * @throws OptionInvalid at construction, naming the option that is wrong; at the first request where `app.proxy` is not set
 */
export function trustedProxies(proxies: readonly string[], options: TrustedProxiesOptions = {}): Middleware {
  const peers = peersOf(WHERE, 'proxies', proxies)
  knownOptions(WHERE, options, ['hosts'])
  const { hosts } = options
  const isOurs = hosts === undefined ? () => true : hostsListed(WHERE, 'hosts', hosts)

  const layer: Middleware = async function trustedProxiesLayer(ctx, next) {
    if (!ctx.app.proxy)
      throw new OptionInvalid(WHERE, 'app.proxy', 'must be true: Koa reads what the proxies say only then.')
    believe(ctx, peers)
    checkHost(ctx, isOurs)
    await next()
  }
  const description = { by: WHERE, networks: [...proxies], hosts: hosts === undefined ? null : [...hosts] } as const
  return describe(layer, description satisfies TrustedProxiesDescription)
}

function believe(ctx: ParameterizedContext, peers: Peers): void {
  const { headers } = ctx.req
  const ipHeader = ctx.app.proxyIpHeader.toLowerCase()
  if (peers.at(ctx.req) !== 'listed') {
    for (const name of Object.keys(headers))
      if (name.startsWith('x-forwarded-') || name === 'forwarded' || name === ipHeader) delete headers[name]
  }
  const { hops, chain } = hopsIn(listIn(headers, ipHeader), peers)
  keep(headers, ipHeader, chain.join(', '))
  keep(headers, 'x-forwarded-proto', schemeIn(saidAt(hops, listIn(headers, 'x-forwarded-proto'))))
  keep(headers, 'x-forwarded-host', saidAt(hops, listIn(headers, 'x-forwarded-host')))
  // Somebody may have read it before, and Koa remembers the first answer.
  ctx.request.ip = chain[0] ?? ctx.req.socket.remoteAddress ?? ''
}

/**
 * How many listed proxies a request came through, one after the other, and the addresses that they vouch for: the client's first, unless the
 * outermost has not written one.
 */
function hopsIn(entries: readonly string[], peers: Peers): { hops: number; chain: string[] } {
  const chain: string[] = []
  for (const entry of entries.toReversed()) {
    const address = addressIn(entry)
    if (address === null) return { hops: chain.length + 1, chain }
    chain.unshift(address)
    if (!peers.has(address)) break
  }
  return { hops: Math.max(chain.length, 1), chain }
}

/** What the outermost of so many proxies said, where each added its own at the end; or all there is, where the last replaced the others'. */
function saidAt(hops: number, said: readonly string[]): string {
  return said[Math.max(said.length - hops, 0)] ?? ''
}

function schemeIn(said: string): string {
  return /^https?$/i.test(said) ? said.toLowerCase() : ''
}

/** An address in a list of forwarded ones, some of which write its port too. */
function addressIn(entry: string): string | null {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+)(?::\d+)?$/.exec(entry)?.[1] ?? entry
  return isIP(bare) === 0 ? null : bare
}

function listIn(headers: IncomingHttpHeaders, name: string): string[] {
  const said = String(headers[name] ?? '')
  return said === '' ? [] : said.split(',').map(entry => entry.trim())
}

/** Looks at whatever of a request Koa makes its host and its addresses of. @throws HostInvalid, HostUnknown */
function checkHost(ctx: ParameterizedContext, isOurs: (host: string) => boolean): void {
  const { host, ':authority': authority, 'x-forwarded-host': forwarded } = ctx.req.headers
  // RFC 9112 §3.2: Node takes the first of several.
  if (fieldLines(ctx.req, 'host') > 1) throw new HostInvalid('Host')
  if (forwarded) check('X-Forwarded-Host', String(forwarded))
  else if (authority) check(':authority', String(authority))
  // Without one, the first segment of the path would be the host of an address.
  else check('Host', host ?? '')
  // RFC 9112 §3.2.1, §3.2.4: what follows upon a host as it is.
  if (ctx.originalUrl.startsWith('/') || ctx.originalUrl === '*') return
  // §3.2.2: what is asked of a proxy, in whose place Koa takes the whole address for its own.
  check('target', /^https?:\/\/([^/?#]*)/i.exec(ctx.originalUrl)?.[1] ?? '')

  function check(where: string, said: string): void {
    const named = hostOf(said)
    if (named === null) throw new HostInvalid(where)
    if (!isOurs(named)) throw new HostUnknown(where)
  }
}

function fieldLines({ rawHeaders }: IncomingMessage, name: string): number {
  return rawHeaders.filter((field, index) => index % 2 === 0 && field.toLowerCase() === name).length
}

function keep(headers: IncomingHttpHeaders, name: string, said: string): void {
  if (said !== '') headers[name] = said
  else delete headers[name]
}
