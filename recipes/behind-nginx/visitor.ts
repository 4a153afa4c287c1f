import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import https from 'node:https'
import { SINGERS } from './database.ts'
import type { Site } from './site.ts'

/** What somebody sees of one response. */
export interface Seen {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Somebody with a browser that believes the site's certificate and keeps cookies. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly #site: Site
  readonly #ca: Buffer

  constructor(site: Site) {
    this.#site = site
    this.#ca = readFileSync(site.certificate)
  }

  static async loggedIn(site: Site, username: string): Promise<Visitor> {
    const visitor = new Visitor(site)
    const { status, text } = await visitor.logIn(username)
    if (status !== 303) throw new Error(`${username} could not log in: ${status} ${text}`)
    return visitor
  }

  logIn(username: string, next = '/'): Promise<Seen> {
    return this.ask('/login', {}, { username, password: SINGERS[username] ?? '', next })
  }

  /** Whom the page for everybody greets; empty for nobody. */
  async whoAmI(): Promise<string> {
    return /Logged in as <bdi>([^<]*)/.exec((await this.ask('/')).text)?.[1] ?? ''
  }

  /** @param form what is posted; without it the page is asked for */
  ask(path: string, headers: OutgoingHttpHeaders = {}, form?: Record<string, string>): Promise<Seen> {
    const body = form && new URLSearchParams(form).toString()
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const options = {
      ca: this.#ca,
      // A name that the certificate has, whatever `Host` says.
      servername: 'localhost',
      agent: false,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(cookie && { cookie }),
        ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
    }
    return new Promise((resolve, reject) => {
      const request = https.request(this.#site.origin + path, options, async response => {
        const { statusCode: status = 0, headers } = response
        for (const line of headers['set-cookie'] ?? []) this.#keep(line)
        resolve({ status, headers, text: Buffer.concat(await response.toArray()).toString() })
      })
      request.on('error', reject)
      request.end(body)
    })
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (/max-age=0/i.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}
