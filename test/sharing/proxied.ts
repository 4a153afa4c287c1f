import { connect, type NetConnectOpts } from 'node:net'
import type { ExecutionContext } from 'ava'
import { type RemoteUserOptions, remoteUser } from '../../lib/sharing/remote-user.ts'
import { remoteUsers } from '../../lib/sharing/remote-users.ts'
import type { TestApp } from '../sessions/app.ts'
import { directory, startUsersApp, type UsersAppOptions } from '../users/app.ts'

/** Where connections come from: the proxy that the apps trust, and a neighbour of it. */
export const PROXY = '127.0.0.1'
export const STRANGER = '127.0.0.2'

/** What a client behind a proxy, or past it, sees of one response. */
export interface ProxiedAnswer {
  status: number
  /** The lines of the head. */
  head: string
  /** The Set-Cookie lines of the session. */
  setCookies: string[]
  text: string
}

export interface Ask {
  /** Header lines that are sent as they are. */
  lines?: (string | Buffer)[]
  /** The address that the connection comes from. @default PROXY */
  from?: string
  /** A Unix socket to connect to, in place of the app's port. */
  socketPath?: string
}

/** Sends header lines byte for byte, and keeps the session's cookie. */
export class ProxiedClient {
  cookie = ''
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  async get(path: string, { lines = [], from = PROXY, socketPath }: Ask = {}): Promise<ProxiedAnswer> {
    const cookies = this.cookie ? [`Cookie: ${this.cookie}`] : []
    const head = [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...cookies, ...lines, '']
    const bytes = Buffer.concat(head.map(line => Buffer.concat([Buffer.from(line), Buffer.from('\r\n')])))
    const to = socketPath ? { path: socketPath } : { port: this.#port, host: '127.0.0.1', localAddress: from }
    const answer = parsed(await exchange(to, bytes))
    for (const line of answer.setCookies) this.#keep(line)
    return answer
  }

  /** Whom '/me' says this is, when the proxy sends these lines; empty for nobody. */
  async whoIs(...lines: string[]): Promise<string> {
    return JSON.parse((await this.get('/me', { lines })).text).key
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';')
    this.cookie = /max-age=0/i.test(line) ? '' : pair
  }
}

/** Sends a request, and reads until the server closes. */
function exchange(to: NetConnectOpts, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(to)
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('error', error => (chunks.length > 0 ? undefined : reject(error)))
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.write(bytes)
  })
}

function parsed(text: string): ProxiedAnswer {
  const end = text.indexOf('\r\n\r\n')
  const head = text.slice(0, Math.max(0, end))
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0),
    head,
    setCookies: [...head.matchAll(/^set-cookie: (sid=.*)$/gim)].map(([, line]) => line!),
    text: Buffer.from(text.slice(end + 4), 'latin1').toString(),
  }
}

export interface ProxiedApp extends TestApp {
  client(): ProxiedClient
}

export interface ProxiedAppOptions extends UsersAppOptions {
  remote?: Partial<RemoteUserOptions>
  /** Layers behind `users()` and before `remoteUser()`. */
  between?: unknown[]
}

/** An app behind a proxy on 127.0.0.1, which names users of `remoteUsers()`; dave and erin log in by a form. */
export async function startProxiedApp(t: ExecutionContext, options: ProxiedAppOptions = {}): Promise<ProxiedApp> {
  const { remote, between = [], above = [], ...given } = options
  const app = await startUsersApp(t, {
    backends: [remoteUsers(), directory('local', { dave: {}, erin: {} })],
    ...given,
    above: [...between, remoteUser({ trust: [PROXY], ...remote }), ...above],
  })
  return { ...app, client: () => new ProxiedClient(app.port) }
}
