import http from 'node:http'

/** Where an application listens, and what browsers call it. */
export interface Site {
  readonly port: number
  /** @default 'http://127.0.0.1:<port>' */
  readonly origin?: string
}

/** What a visitor sees of one response. */
export interface Seen {
  status: number
  /** The Set-Cookie lines of the session. */
  setCookies: string[]
  text: string
  readonly json: ReturnType<typeof JSON.parse>
}

interface Cookie {
  name: string
  value: string
  domain: string
  hostOnly: boolean
  path: string
  secure: boolean
}

function addressOf({ port, origin = `http://127.0.0.1:${port}` }: Site, path: string): URL {
  return new URL(path, origin)
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 100 })

/** Somebody whose browser goes from site to site and keeps cookies as RFC 6265 §5.3 and §5.4 have it, the rules of prefixes included. */
export class Visitor {
  #cookies: Cookie[] = []

  /** A browser with a copy of these cookies. */
  copy(): Visitor {
    const copy = new Visitor()
    copy.#cookies = [...this.#cookies]
    return copy
  }

  /** What this browser keeps, as 'name@domain'. */
  get kept(): string[] {
    return this.#cookies.map(({ name, domain, hostOnly }) => `${name}@${hostOnly ? '' : '.'}${domain}`)
  }

  /** The Cookie header that a request for this address would carry. */
  cookieFor({ protocol, hostname, pathname }: URL): string {
    return this.#cookies
      .filter(({ domain, hostOnly }) => hostname === domain || (!hostOnly && hostname.endsWith(`.${domain}`)))
      .filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .filter(({ secure }) => !secure || protocol === 'https:')
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  /** Keeps a cookie as if this site had sent it. */
  take(line: string, site: Site): void {
    this.#keep(line, addressOf(site, '/'))
  }

  async get(site: Site, path: string): Promise<Seen> {
    const { port } = site
    const url = addressOf(site, path)
    const cookie = this.cookieFor(url)
    const headers = { host: url.host, ...(cookie && { cookie }) }
    const seen = await new Promise<Seen>((resolve, reject) => {
      const request = http.get({ host: '127.0.0.1', port, path, headers, agent }, async response => {
        try {
          const text = Buffer.concat(await response.toArray()).toString()
          const { statusCode: status = 0, headers: received } = response
          const setCookies = (received['set-cookie'] ?? []).filter(line => !/^[^=]*-device=/.test(line))
          resolve({
            status,
            setCookies,
            text,
            get json() {
              return JSON.parse(text)
            },
          })
        } catch (error) {
          reject(error)
        }
      })
      request.on('error', reject)
    })
    for (const line of seen.setCookies) this.#keep(line, url)
    return seen
  }

  /** The key of whom this browser is logged in as there; empty for nobody. */
  async whoIs(site: Site): Promise<string> {
    return (await this.get(site, '/who')).json.key
  }

  #keep(line: string, { hostname, protocol }: URL): void {
    const [pair = '', ...rest] = line.split(/; */)
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    const attributes = new Map(rest.map(one => one.split(/=(.*)/s)).map(([key, said]) => [key!.toLowerCase(), said]))
    const domain = attributes.get('domain')
    const secure = attributes.has('secure')
    const path = attributes.get('path') ?? '/'
    if (domain !== undefined && hostname !== domain && !hostname.endsWith(`.${domain}`)) return
    if (secure && protocol !== 'https:') return
    if (name.startsWith('__Host-') && (domain !== undefined || path !== '/' || !secure)) return
    if (name.startsWith('__Secure-') && !secure) return
    const cookie = { name, value, domain: domain ?? hostname, hostOnly: domain === undefined, path, secure }
    const isSame = (other: Cookie) =>
      other.name === name &&
      other.domain === cookie.domain &&
      other.hostOnly === cookie.hostOnly &&
      other.path === cookie.path
    this.#cookies = this.#cookies.filter(other => !isSame(other))
    if (!/^(0|-\d+)$/.test(attributes.get('max-age') ?? '1')) this.#cookies.push(cookie)
  }
}
