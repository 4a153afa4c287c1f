import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Site } from './site.ts'

/** What a visitor was answered. */
export interface Answer {
  status: number
  location: string | undefined
  text: string
}

/** What goes along with a request. */
export interface Extra {
  headers?: Record<string, string>
  /** Makes it a POST. */
  form?: Record<string, string>
}

/** Somebody with a browser that keeps the session's cookie, and believes the certificate. */
export class Visitor {
  cookie = ''
  readonly #site: Site

  constructor(site: Site) {
    this.#site = site
  }

  static async loggedIn(site: Site, username: string, password: string): Promise<Visitor> {
    const visitor = new Visitor(site)
    const { status } = await visitor.ask('/login', { form: { username, password } })
    if (status !== 303) throw new Error(`${username} could not log in: ${status}`)
    return visitor
  }

  /** @param path below the prefix */
  async ask(path: string, { headers = {}, form }: Extra = {}): Promise<Answer> {
    const { address, origin, certificate } = this.#site
    const request = https.request(address + path, {
      ca: readFileSync(certificate.certificate),
      // Which `Host` is sent is another matter.
      servername: 'localhost',
      agent: false,
      method: form ? 'POST' : 'GET',
      headers: {
        ...headers,
        ...(this.cookie && { cookie: this.cookie }),
        ...(form && { origin, 'content-type': 'application/x-www-form-urlencoded' }),
      },
    })
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request
        .once('response', resolve)
        .once('error', reject)
        .end(form && new URLSearchParams(form).toString())
    })
    const line = response.headers['set-cookie']?.find(one => one.startsWith('__Secure-sid='))
    if (line !== undefined) this.cookie = line.split(';', 1)[0]!
    const text = Buffer.concat(await response.toArray()).toString()
    return { status: response.statusCode!, location: response.headers.location, text }
  }

  /** Whom the page greets, as each process makes it. */
  async greetings(): Promise<Record<string, string>> {
    const greetings: Record<string, string> = {}
    for (let tries = 0; tries < 20 && Object.keys(greetings).length < 2; tries++) {
      const { text } = await this.ask('/')
      const by = /Made by ([^.]+)\./.exec(text)?.[1]
      if (by) greetings[by] = /Logged in as <bdi>([^<]+)/.exec(text)?.[1] ?? 'nobody'
    }
    return greetings
  }
}
