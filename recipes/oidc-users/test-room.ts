import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { memoryStore } from 'koa-strata'
import { ACCOUNTS } from './accounts.ts'
import { createReadingRoom } from './app.ts'
import { IdentityProvider } from './identity-provider.ts'
import type { Account } from './provider/provider.ts'
import { type RunningProvider, startProvider } from './provider/provider.ts'

export const CLIENT = { id: 'reading-room', secret: 'a secret of the reading room' }

/** How long the tests let the provider take, in milliseconds. */
export const DEADLINE = 1000

/** The very app of this recipe. */
export interface TestRoom {
  readonly origin: string
  /** What the application was told of with 'error'. */
  readonly errors: unknown[]
}

/** Starts the app for the provider that `provide` starts for it, and answers both. @param provide is told where the app will be */
export async function startRoom<Provider extends { issuer: string }>(
  t: ExecutionContext,
  provide: (origin: string) => Promise<Provider>,
): Promise<TestRoom & { provider: Provider }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = await provide(origin)
  const app = createReadingRoom({
    provider: new IdentityProvider({
      issuer: provider.issuer,
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      origin,
      deadline: DEADLINE,
    }),
    store: memoryStore(),
    keys: ['k'.repeat(32)],
  })
  const errors: unknown[] = []
  app.on('error', error => errors.push(error))
  server.on('request', app.callback())
  return { origin, errors, provider }
}

/** The app with the provider of the recipe. */
export function startRecipe(t: ExecutionContext): Promise<TestRoom & { provider: RunningProvider }> {
  return startRoom(t, origin => startProvider(t, { accounts: ACCOUNTS, client: { ...CLIENT, origin } }))
}

/** What a page is, for a test. */
export interface Answer {
  readonly status: number
  readonly text: string
  /** Where it sends the browser, as a whole address; empty where it stays. */
  readonly location: string
  readonly headers: Headers
}

/** A browser: the cookies of each origin are its own. */
export class Browser {
  readonly #home: string
  readonly cookies = new Map<string, Map<string, string>>()

  constructor(room: { origin: string }) {
    this.#home = room.origin
  }

  /** One request, redirects not followed. @param address a path of the app, or a whole address */
  async ask(address: string, form?: Record<string, string>): Promise<Answer> {
    const url = new URL(address, this.#home)
    const jar = this.cookies.get(url.origin) ?? new Map<string, string>()
    this.cookies.set(url.origin, jar)
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    const location = response.headers.get('location')
    return {
      status: response.status,
      text: await response.text(),
      location: location === null ? '' : new URL(location, url).href,
      headers: response.headers,
    }
  }

  /** Follows redirects, until there are none or one goes where `until` says. */
  async follow(answer: Answer, until: (location: string) => boolean = () => false): Promise<Answer> {
    let last = answer
    while (last.location !== '' && !until(last.location)) last = await this.ask(last.location)
    return last
  }

  /** Goes to the provider and signs in there: what it answers sends the browser back. */
  async signIn({ username, password }: Pick<Account, 'username' | 'password'>, next = ''): Promise<Answer> {
    const form = await this.follow(await this.ask('/login', { next }), location => this.#isBack(location))
    if (this.#isBack(form.location)) return form
    const action = /action="([^"]+)"/.exec(form.text)![1]!
    const { origin } = new URL([...this.cookies.keys()].find(one => one !== this.#home)!)
    const answer = await this.ask(origin + action, { username, password, choice: 'sign-in' })
    return this.follow(answer, location => this.#isBack(location))
  }

  /** All of it. */
  async logIn(account: Pick<Account, 'username' | 'password'>, next = ''): Promise<Answer> {
    const { location } = await this.signIn(account, next)
    return this.ask(location)
  }

  /** How the page for everybody greets them. */
  async greeting(): Promise<string> {
    const { status, text } = await this.ask('/')
    if (status !== 200) return String(status)
    return /Hello <bdi>(.*)<\/bdi>/.exec(text)?.[1] ?? 'anonymous'
  }

  /** The cookies of the app. */
  get own(): Map<string, string> {
    const own = this.cookies.get(this.#home) ?? new Map<string, string>()
    this.cookies.set(this.#home, own)
    return own
  }

  /** Gets the cookies that another one has for the app. */
  take(other: Browser): void {
    for (const [name, value] of other.own) this.own.set(name, value)
  }

  #isBack(location: string): boolean {
    return location.startsWith(`${this.#home}/callback`)
  }
}
