import { readFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { PEOPLE, type Site } from './site.ts'

/** What a visitor was answered. */
export interface Answer {
  status: number
  text: string
}

/** How a request goes. */
export interface Way {
  /** Who logs in at Apache. @default nobody */
  as?: string
  headers?: Record<string, string>
  /** Goes past Apache to the app itself, from this address. @default by Apache */
  pastFrom?: string
}

/** A browser that keeps the session's cookie, and believes the certificate. */
export class Visitor {
  cookie = ''
  readonly #site: Site

  constructor(site: Site) {
    this.#site = site
  }

  async ask(path: string, { as, headers = {}, pastFrom }: Way = {}): Promise<Answer> {
    const { origin, app, certificate } = this.#site
    const options = {
      agent: false,
      headers: {
        ...(as !== undefined && { authorization: `Basic ${Buffer.from(`${as}:${PEOPLE[as]}`).toString('base64')}` }),
        ...(this.cookie && { cookie: this.cookie }),
        ...headers,
      },
    }
    const request =
      pastFrom === undefined
        ? https.get(origin + path, { ...options, ca: readFileSync(certificate.certificate) })
        : http.get(`http://127.0.0.1:${app}${path}`, { ...options, localAddress: pastFrom })
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject)
    })
    const line = response.headers['set-cookie']?.find(one => one.startsWith('sid='))
    if (line !== undefined) this.cookie = line.split(';', 1)[0]!
    return { status: response.statusCode!, text: Buffer.concat(await response.toArray()).toString() }
  }

  /** Whom the page greets, and how often they have looked; the status where there is no page. */
  async look(way: Way): Promise<string> {
    const { status, text } = await this.ask('/', way)
    const [, name, looks] = /<bdi>([^<]+)<\/bdi>. Looks since then: (\d+)/.exec(text) ?? []
    return status === 200 ? `${name} ${looks}` : String(status)
  }
}
