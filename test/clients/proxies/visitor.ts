import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { Certificate } from '../../servers/certificate.ts'

/** What a visitor was answered. */
export interface Seen {
  status: number
  /** What the site has said of the request; empty where it did not. */
  said: { pid?: number; user?: string; protocol?: string; secure?: boolean }
}

/** Somebody with a browser: a connection that is kept, and the session's cookie. */
export class Visitor {
  /** The cookie, and the line that set it. */
  cookie = ''
  setCookie = ''
  readonly #address: string
  readonly #agent: http.Agent

  /** @param address of the site, behind a proxy */
  constructor(address: string, { certificate }: Certificate) {
    const options = { keepAlive: true, maxSockets: 1 }
    this.#address = address
    this.#agent = this.#isSecure
      ? new https.Agent({ ...options, ca: readFileSync(certificate) })
      : new http.Agent(options)
  }

  /** Logs in by the form of the site. */
  async login(username: string): Promise<void> {
    const { status } = await this.post('/login', { username, password: `${username} pw` })
    if (status !== 204) throw new Error(`${username} could not log in: ${status}`)
  }

  get(path: string): Promise<Seen> {
    return this.#send('GET', path)
  }

  post(path: string, form: Record<string, string> = {}): Promise<Seen> {
    return this.#send('POST', path, new URLSearchParams(form).toString())
  }

  close(): void {
    this.#agent.destroy()
  }

  get #isSecure(): boolean {
    return this.#address.startsWith('https:')
  }

  async #send(method: string, path: string, body?: string): Promise<Seen> {
    const request = (this.#isSecure ? https : http).request(this.#address + path, {
      method,
      agent: this.#agent,
      headers: {
        ...(this.cookie && { cookie: this.cookie }),
        ...(body !== undefined && {
          origin: new URL(this.#address).origin,
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': Buffer.byteLength(body),
        }),
      },
    })
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject).end(body)
    })
    const text = Buffer.concat(await response.toArray()).toString()
    const line = response.headers['set-cookie']?.find(one => /^(__Host-)?sid=/.test(one))
    if (line !== undefined) {
      this.setCookie = line
      this.cookie = line.split(';', 1)[0]!
    }
    const isOurs = response.headers['content-type']?.startsWith('application/json')
    return { status: response.statusCode!, said: isOurs ? JSON.parse(text) : {} }
  }
}
