import { connect, type NetConnectOpts, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import type { Context, Middleware } from 'koa'
import { type TrustedProxiesOptions, trustedProxies } from '../../lib/sharing/trusted-proxies.ts'
import { startApp, type TestApp } from '../sessions/app.ts'

/** Where connections come from: a proxy that is listed, and a neighbour of it. */
export const PROXY = '127.0.0.1'
export const STRANGER = '127.0.0.2'
/** Proxies that stand before the one at PROXY. */
export const OUTER = ['10.0.0.0/8', 'fd00::/8']

/** What the app takes a request for. */
export interface Taken {
  ip: string
  ips: string[]
  protocol: string
  secure: boolean
  host: string
  hostname: string
  href: string
  /** The host of `ctx.URL`. */
  urlHost: string
  /** The fields about forwarding that the app can still read. */
  forwarded: Record<string, string>
}

function taken(ctx: Context): Taken {
  const { ip, ips, protocol, secure, host, hostname, href } = ctx
  const forwarded = Object.entries(ctx.headers).filter(([name]) => /forwarded|real/.test(name)) as [string, string][]
  return {
    ip,
    ips,
    protocol,
    secure,
    host,
    hostname,
    href,
    urlHost: ctx.URL.host,
    forwarded: Object.fromEntries(forwarded),
  }
}

export interface BehindOptions extends TrustedProxiesOptions {
  /** null leaves `trustedProxies()` out. @default PROXY and OUTER */
  proxies?: readonly string[] | null
  /** What stands before it. */
  before?: Middleware[]
}

/** An app behind proxies that answers every request with what it takes it for. */
export async function startBehind(t: ExecutionContext, options: BehindOptions = {}): Promise<TestApp> {
  const { proxies = [PROXY, ...OUTER], before = [], ...given } = options
  const outside = proxies === null ? before : [...before, trustedProxies(proxies, given)]
  const answer: Middleware = ctx => {
    ctx.body = taken(ctx)
  }
  const app = await startApp(t, { outside, layers: [answer] })
  app.koa.proxy = true
  app.koa.silent = true
  return app
}

/** A request, byte for byte. */
export interface Sent {
  /** @default GET */
  method?: string
  /** @default '/x' */
  target?: string
  /** @default 1.1 */
  version?: string
  /** The lines of the head. @default `Host: www.example` */
  lines?: readonly string[]
}

export interface Got {
  status: number
  text: string
  /** The body of a 200. */
  readonly taken: Taken
}

/** A connection that sends what it is told, one request after the other, each character a byte. It connects again where the server has closed. */
export class Wire {
  readonly #to: NetConnectOpts
  #socket: Socket | null = null

  /** @param from the address it comes from @default PROXY */
  constructor(t: ExecutionContext, to: number | string, from = PROXY) {
    this.#to = typeof to === 'string' ? { path: to } : { port: to, host: '127.0.0.1', localAddress: from }
    t.teardown(() => this.#socket?.destroy())
  }

  send({ method = 'GET', target = '/x', version = '1.1', lines = ['Host: www.example'] }: Sent): Promise<Got> {
    if (!this.#socket || this.#socket.destroyed || this.#socket.readableEnded) this.#socket = connect(this.#to)
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      let text = ''
      const settle = () => {
        socket.removeAllListeners()
        socket.on('error', () => {})
        if (text === '') return reject(new Error('Nothing was answered.'))
        // Node's own refusals end the connection.
        if (!isWhole(text) || /^connection: close/im.test(text)) socket.destroy()
        resolve(answered(text))
      }
      socket.on('data', data => {
        text += data.toString('latin1')
        if (isWhole(text)) settle()
      })
      socket.on('error', () => {})
      socket.on('close', settle)
      socket.write(`${method} ${target} HTTP/${version}\r\n${lines.map(line => `${line}\r\n`).join('')}\r\n`, 'latin1')
    })
  }
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, end))?.[1] ?? Number.NaN)
  return end >= 0 && text.length >= end + 4 + length
}

function answered(text: string): Got {
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0),
    text: body,
    get taken() {
      return JSON.parse(Buffer.from(body, 'latin1').toString())
    },
  }
}
