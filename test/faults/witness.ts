import { setTimeout as wait } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import type { SessionsOptions } from '../../lib/sessions/options.ts'
import { type Answer, type Browser, type Handler, LOGINS, live, startApp, type TestApp } from '../sessions/app.ts'

/** How long somebody waits after an error, in milliseconds. */
const AFTER_ERROR = 50
/**
 * Who was served so often in a row waits so long between two turns, in milliseconds. The load is for what happens and not for the time in between;
 * the visitor of the public page, whom no store keeps waiting, would be most of it.
 */
const AT_EASE = { after: 20, wait: 15 }
/** Each of them logs out once in so many turns. */
const LOGOUT_EVERY = 25
/** How long a witness waits for what is to happen, in milliseconds. */
const PATIENCE = 60_000

/** What clients saw of a fault, and what it did to what they had been told. */
export interface Testimony {
  /** How many requests with a session were answered with which status. */
  statuses: Record<number, number>
  /** The same for requests to a public page, without a cookie. */
  publicStatuses: Record<number, number>
  /** The longest that anybody waited for an answer, in milliseconds. */
  slowest: number
  /** The longest that anybody waited for the public page. */
  slowestPublic: number
  /** How many 503 came without Retry-After. */
  withoutRetryAfter: number
  /** Who was logged in and no longer is, by name. */
  loggedOut: string[]
  /** Whose acknowledged changes are not there, by name. */
  lostChanges: string[]
  /** Whose count is more than what they were told and what they could not know. */
  uncalledFor: string[]
  /** Whose acknowledged logout does not hold. */
  revived: string[]
  /** How many changes were acknowledged. */
  acknowledged: number
}

const handlers: Record<string, Handler> = {
  ...LOGINS,
  '/count': async ctx => {
    if (!live(ctx).login) {
      ctx.status = 401
      return 'anonymous'
    }
    let count = 0
    await ctx.updateSession(draft => {
      count = draft.count = (draft.count ?? 0) + 1
    })
    return String(count)
  },
  '/me': ctx => ({ user: live(ctx).login?.id ?? null, count: ctx.session.count ?? 0 }),
  '/public': () => 'for everybody',
}

/**
 * Many people who use an app while something happens to its store: each logs in, counts up by `updateSession`, and now and then logs out.
 * Each remembers what was acknowledged; what was answered by an error may have happened or not.
 */
export class Witness {
  readonly app: TestApp
  readonly #people: Person[]
  readonly #visitor: Browser
  #going = true
  #loops: Promise<unknown> = Promise.resolve()
  readonly #requests: { at: number; took: number; answer: Answer; open: boolean }[] = []

  private constructor(app: TestApp, people: number) {
    this.app = app
    this.#visitor = app.browser()
    this.#people = Array.from({ length: people }, (_, index) => new Person(`person${index}`, app.browser(), index))
  }

  /** @param options those of `sessions()`, and how many people there are */
  static async start(
    t: ExecutionContext,
    { people = 20, ...options }: SessionsOptions & { people?: number },
  ): Promise<Witness> {
    const witness = new Witness(await startApp(t, { ...options, handlers }), people)
    t.teardown(() => witness.#stop())
    witness.#loops = Promise.all([
      ...witness.#people.map(person => witness.#loop(() => person.turn(path => witness.#ask(person.browser, path)))),
      witness.#loop(async () => (await witness.#ask(witness.#visitor, '/public', true)).status === 200),
    ])
    await witness.untilServed()
    return witness
  }

  /** Waits until everybody was answered without an error, in a request made after `since`. Answers how long after it that was, in milliseconds. */
  async untilServed(since = performance.now()): Promise<number> {
    await this.#until(() => this.#people.every(({ lastServed }) => lastServed >= since), 'everybody is served')
    return Math.max(...this.#people.map(({ lastServedAt }) => lastServedAt)) - since
  }

  /** Waits until somebody is answered with this status, after `since`. */
  async untilStatus(status: number, since = performance.now()): Promise<void> {
    const seen = () =>
      this.#requests.some(({ at, took, answer, open }) => !open && at + took >= since && answer.status === status)
    await this.#until(seen, `somebody gets ${status}`)
  }

  /** Waits until so many more changes were acknowledged. */
  async untilChanges(count: number): Promise<void> {
    const before = this.#acknowledged
    await this.#until(() => this.#acknowledged >= before + count, `${count} changes are acknowledged`)
  }

  /** Ends the load, and looks what became of everybody. The store has to work again. */
  async testify(): Promise<Testimony> {
    await this.#stop()
    const testimony: Testimony = {
      ...this.#statistics(),
      loggedOut: [],
      lostChanges: [],
      uncalledFor: [],
      revived: [],
      acknowledged: this.#acknowledged,
    }
    for (const person of this.#people) {
      testimony.loggedOut.push(...person.loggedOut)
      testimony.lostChanges.push(...person.lostChanges)
      testimony.uncalledFor.push(...person.uncalledFor)
      for (const [list, holds] of Object.entries(await person.judge())) {
        if (holds) testimony[list as 'lostChanges'].push(person.name)
      }
    }
    return testimony
  }

  get #acknowledged(): number {
    return this.#people.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
  }

  async #stop(): Promise<void> {
    this.#going = false
    await this.#loops
  }

  async #loop(turn: () => Promise<boolean>): Promise<void> {
    for (let served = 0; this.#going; ) {
      served = (await turn()) ? served + 1 : 0
      if (served === 0) await wait(AFTER_ERROR)
      else if (served > AT_EASE.after) await wait(AT_EASE.wait)
    }
  }

  async #ask(browser: Browser, path: string, open = false): Promise<Answer> {
    const at = performance.now()
    const answer = await browser.get(path)
    this.#requests.push({ at, took: performance.now() - at, answer, open })
    return answer
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + PATIENCE
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`It never came about that ${what}.`)
      await wait(5)
    }
  }

  #statistics() {
    const count = (open: boolean) => {
      const statuses: Record<number, number> = {}
      for (const { answer, open: is } of this.#requests) {
        if (is === open) statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
      }
      return statuses
    }
    const slowest = (open: boolean) =>
      Math.round(this.#requests.reduce((most, { took, open: is }) => (is === open ? Math.max(most, took) : most), 0))
    return {
      statuses: count(false),
      publicStatuses: count(true),
      slowest: slowest(false),
      slowestPublic: slowest(true),
      withoutRetryAfter: this.#requests.filter(
        ({ answer }) => answer.status === 503 && answer.headers['retry-after'] === undefined,
      ).length,
    }
  }
}

class Person {
  readonly name: string
  readonly browser: Browser
  /** The name, once for each time that it came about. */
  readonly loggedOut: string[] = []
  readonly lostChanges: string[] = []
  readonly uncalledFor: string[] = []
  acknowledged = 0
  /** When the last request that was answered without an error was made, and when it was answered. */
  lastServed = 0
  lastServedAt = 0
  #loggedIn = false
  #count = 0
  #unsure = 0
  #turns: number
  readonly #ended: Browser[] = []

  /** @param turns how many it pretends to have had, so that not everybody logs out at once */
  constructor(name: string, browser: Browser, turns: number) {
    this.name = name
    this.browser = browser
    this.#turns = turns
  }

  /** One request. False where it was answered by an error. */
  async turn(ask: (path: string) => Promise<Answer>): Promise<boolean> {
    const begun = performance.now()
    this.#turns++
    const served = await this.#step(ask)
    if (served) {
      this.lastServed = begun
      this.lastServedAt = performance.now()
    }
    return served
  }

  async #step(ask: (path: string) => Promise<Answer>): Promise<boolean> {
    if (!this.#loggedIn) {
      if ((await ask(`/login?user=${this.name}`)).status !== 200) return false
      this.#loggedIn = true
      this.#count = this.#unsure = 0
      return true
    }
    if (this.#turns % LOGOUT_EVERY === 0) {
      const old = this.browser.copy()
      const { status } = await ask('/logout')
      if (status !== 200) {
        // Whether it has ended nobody knows: somebody else begins.
        this.#loggedIn = false
        this.browser.cookies.clear()
        return false
      }
      this.#loggedIn = false
      this.#ended.push(old)
      return true
    }
    const { status, text } = await ask('/count')
    if (status === 200) {
      const count = Number(text)
      if (count <= this.#count) this.lostChanges.push(this.name)
      if (count > this.#count + this.#unsure + 1) this.uncalledFor.push(this.name)
      this.#count = count
      this.#unsure = 0
      this.acknowledged++
      return true
    }
    if (status === 401) {
      this.loggedOut.push(this.name)
      this.#loggedIn = false
      return true
    }
    this.#unsure++
    return false
  }

  async judge(): Promise<Record<'loggedOut' | 'lostChanges' | 'uncalledFor' | 'revived', boolean>> {
    const { user, count } = (await this.browser.get('/me')).json
    const revived = await Promise.all(this.#ended.map(async old => (await old.get('/me')).json.user !== null))
    return {
      loggedOut: this.#loggedIn && user !== this.name,
      lostChanges: this.#loggedIn && user === this.name && count < this.#count,
      uncalledFor: this.#loggedIn && user === this.name && count > this.#count + this.#unsure,
      revived: revived.includes(true),
    }
  }
}
