import { setTimeout as wait } from 'node:timers/promises'

/** How long somebody waits before the next request, in milliseconds: with 20 people some 100 requests a second. */
const PAUSE = 150
/** Everybody logs in from another browser once in so many turns. */
const LOGIN_EVERY = 30
/** How long nothing may go wrong until all is taken to be well, in milliseconds. */
const QUIET = 2000
/** How long that may take, in milliseconds. */
const PATIENCE = 60_000
/** After so many milliseconds somebody gives up. */
const LONGEST = 20_000

/** What became of a request. */
type Outcome =
  | 'answered'
  /** 503 or 502: try again. */
  | 'refused'
  /** No answer at all. */
  | 'cut off'
  /** Answered as to somebody who is not logged in. */
  | 'logged out'
  /** A login that was acknowledged, and is not there at the next request. */
  | 'login lost'
  /** Somebody else's page, a wrong password that was right, a count that nobody made, another error. */
  | 'wrong'

/** What people saw from one moment on to another. */
export interface Seen {
  readonly what: string
  readonly requests: number
  readonly outcomes: Readonly<Record<Outcome, number>>
  /** How many people got no answer, or were refused, at least once. */
  readonly people: number
  /** How many acknowledged changes of a session were not there any more. */
  readonly changesLost: number
  /** From the first request that went wrong until the last one had ended, in milliseconds; 0 where none went wrong. */
  readonly lasted: number
  /** The longest that anybody waited for an answer, in milliseconds. */
  readonly slowest: number
  /** What was answered that is wrong, in words. */
  readonly wrong: readonly string[]
  /** How many refusals of the app came without Retry-After. */
  readonly withoutRetryAfter: number
}

interface Ask {
  readonly member: string
  readonly end: number
  readonly took: number
  readonly outcome: Outcome
  readonly changesLost: number
  readonly wrong: string | null
  readonly withoutRetryAfter: boolean
}

/** People who use the site all the time, each in one browser, and now and then in a second one. */
export class Load {
  readonly #people: Rower[]
  readonly #asks: Ask[] = []
  #going = true
  #loops: Promise<unknown> = Promise.resolve()

  private constructor(origin: string, people: Readonly<Record<string, string>>) {
    this.#people = Object.entries(people).map(([name, password], index) => new Rower(origin, name, password, index))
  }

  /** Everybody logs in, and begins. */
  static async start(origin: string, people: Readonly<Record<string, string>>): Promise<Load> {
    const load = new Load(origin, people)
    for (const rower of load.#people) await rower.settle()
    load.#loops = Promise.all(load.#people.map(rower => load.#loop(rower)))
    return load
  }

  /** The cookie of one of them. */
  get cookie(): string {
    return this.#people[0]!.cookie
  }

  /** What people see from now on until all is well: `act` has ended, nothing went wrong for two seconds, and everybody was answered behind that. */
  async during(what: string, act: () => Promise<unknown>): Promise<Seen> {
    const from = this.#asks.length
    const begun = performance.now()
    await act()
    const acted = performance.now()
    const since = () => this.#asks.slice(from)
    const lastWrong = () => Math.max(0, ...since().map(ask => (ask.outcome === 'answered' ? 0 : ask.end)))
    const isWell = () => {
      const quiet = Math.max(acted, lastWrong()) + QUIET
      const served = since().filter(({ outcome, end, took }) => outcome === 'answered' && end - took >= quiet)
      return new Set(served.map(({ member }) => member)).size === this.#people.length
    }
    while (!isWell()) {
      if (performance.now() > acted + PATIENCE) throw new Error(`${what}: people are not served again.`)
      await wait(50)
    }
    return summary(what, since(), begun)
  }

  async end(): Promise<void> {
    this.#going = false
    await this.#loops
  }

  async #loop(rower: Rower): Promise<void> {
    while (this.#going) {
      this.#asks.push(...(await rower.turn()))
      await wait(PAUSE)
    }
  }
}

function summary(what: string, asks: readonly Ask[], begun: number): Seen {
  // One that was on its way when it began belongs to what was before, but for the time since.
  const tookOf = ({ end, took }: Ask) => Math.min(took, end - begun)
  const unserved = asks.filter(({ outcome }) => outcome !== 'answered')
  const outcomes = { answered: 0, refused: 0, 'cut off': 0, 'logged out': 0, 'login lost': 0, wrong: 0 }
  for (const { outcome } of asks) outcomes[outcome]++
  return {
    what,
    requests: asks.length,
    outcomes,
    people: new Set(unserved.map(({ member }) => member)).size,
    changesLost: asks.reduce((sum, ask) => sum + ask.changesLost, 0),
    lasted:
      unserved.length === 0
        ? 0
        : Math.max(...unserved.map(({ end }) => end)) - Math.min(...unserved.map(ask => ask.end - tookOf(ask))),
    slowest: Math.max(0, ...asks.map(tookOf)),
    wrong: asks.flatMap(({ member, wrong }) => (wrong === null ? [] : [`${member}: ${wrong}`])),
    withoutRetryAfter: asks.filter(ask => ask.withoutRetryAfter).length,
  }
}

/** Somebody who remembers what was acknowledged. */
class Rower {
  readonly #origin: string
  readonly #name: string
  readonly #password: string
  #turns: number
  cookie = ''
  /** Laps that were acknowledged, and those of which nobody knows. */
  #laps = 0
  #uncertain = 0
  #isOut = false

  constructor(origin: string, name: string, password: string, index: number) {
    this.#origin = origin
    this.#name = name
    this.#password = password
    this.#turns = index
  }

  async settle(): Promise<void> {
    const { response } = await this.#send('/login', { username: this.#name, password: this.#password })
    if (response?.status !== 303) throw new Error(`${this.#name} could not log in: ${response?.status}`)
    this.cookie = cookieOf(response)
  }

  /** One request, or two where somebody logs in. */
  async turn(): Promise<Ask[]> {
    const turn = this.#turns++
    if (this.#isOut) return [await this.#logInAgain()]
    if (turn % LOGIN_EVERY === 0) return this.#logInElsewhere()
    const ask = turn % 3 === 0 ? await this.#row() : await this.#look()
    this.#isOut = ask.outcome === 'logged out'
    return [ask]
  }

  async #look(): Promise<Ask> {
    const { response, ...times } = await this.#send('/', undefined, this.cookie)
    if (response?.status !== 200) return this.#ask(times, response)
    const page = await response.text()
    const [, name, boat, count] = VIEWER.exec(page) ?? []
    if (name === undefined) return this.#ask(times, response, page.includes('Log in') ? 'logged out' : 'wrong')
    const laps = Number(count)
    const most = this.#laps + this.#uncertain
    const wrong =
      name !== this.#name || boat !== `boat of ${this.#name}`
        ? `got the page of ${name}`
        : laps > most
          ? `has ${laps} laps, of ${most} at most`
          : null
    const changesLost = Math.max(0, this.#laps - laps)
    this.#laps = laps
    this.#uncertain = 0
    return { ...this.#ask(times, response, wrong === null ? 'answered' : 'wrong'), wrong, changesLost }
  }

  async #row(): Promise<Ask> {
    const { response, ...times } = await this.#send('/laps', {}, this.cookie)
    if (response?.status === 303) this.#laps++
    else this.#uncertain++
    return this.#ask(times, response, response?.status === 401 ? 'logged out' : undefined)
  }

  async #logInAgain(): Promise<Ask> {
    const { response, ...times } = await this.#send('/login', { username: this.#name, password: this.#password })
    if (response?.status === 303) {
      this.cookie = cookieOf(response)
      this.#laps = this.#uncertain = 0
      this.#isOut = false
    }
    return this.#ask(times, response)
  }

  async #logInElsewhere(): Promise<Ask[]> {
    const { response, ...times } = await this.#send('/login', { username: this.#name, password: this.#password })
    const login = this.#ask(times, response)
    if (response?.status !== 303) return [login]
    const { response: page, ...later } = await this.#send('/', undefined, cookieOf(response))
    const name = page?.status === 200 ? VIEWER.exec(await page.text())?.[1] : this.#name
    return [
      login,
      this.#ask(later, page, name === this.#name ? undefined : name === undefined ? 'login lost' : 'wrong'),
    ]
  }

  #ask(times: { end: number; took: number }, response: Response | null, told?: Outcome): Ask {
    const { status } = response ?? {}
    const refused = status === 503 || status === 502
    const outcome =
      told ??
      (response === null ? 'cut off' : refused ? 'refused' : status === 200 || status === 303 ? 'answered' : 'wrong')
    return {
      member: this.#name,
      ...times,
      outcome,
      changesLost: 0,
      wrong: outcome === 'wrong' ? `was answered with ${status}` : null,
      withoutRetryAfter: status === 503 && !response!.headers.has('retry-after'),
    }
  }

  async #send(path: string, form?: Record<string, string>, cookie = '') {
    const begun = performance.now()
    const response = await fetch(this.#origin + path, {
      redirect: 'manual',
      headers: { cookie },
      signal: AbortSignal.timeout(LONGEST),
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    }).catch(() => null)
    const end = performance.now()
    return { response, end, took: end - begun }
  }
}

const VIEWER = /Logged in as ([^.]+)\. Boat: ([^.]+)\. Laps since then: (\d+)/

function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map(line => line.split(';', 1)[0])
    .join('; ')
}
