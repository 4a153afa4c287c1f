import type { Certificate } from '../../servers/certificate.ts'
import { Visitor } from './visitor.ts'

/** One request of a load. */
export interface Sent {
  /** Who sent it. */
  username: string
  /** What it counted at the site, for a POST. */
  id: string | null
  /** When it was sent, as `performance.now()` says. */
  at: number
  /** Whether the site has answered it. */
  isAnswered: boolean
  /** Whom the site took them for, and which process it was. */
  user?: string | undefined
  pid?: number | undefined
}

export interface LoadOptions {
  certificate: Certificate
  /** How many people are there. */
  people: number
  /** How many requests each has sent when the load is under way. */
  before: number
  /** How many each sends after it is told of the end. */
  after: number
}

const EACH_POST = 5
/** How many requests each sends at most, where nobody tells them of the end. */
const MOST = 5000

/** People who are logged in and ask for pages as fast as they are answered, and count something at each fifth. */
export class Load {
  readonly sent: Sent[] = []
  /** Resolves when everybody has sent the first requests. */
  readonly isUnderWay: Promise<unknown>
  readonly #work: Promise<unknown>
  #isOver = false

  /** @param address of the site, behind a proxy @param name of the load, for the ids that it counts */
  constructor(address: string, name: string, { certificate, people, before, after }: LoadOptions) {
    const begun = Array.from({ length: people }, () => Promise.withResolvers<void>())
    this.isUnderWay = Promise.all(begun.map(({ promise }) => promise))
    this.#work = Promise.all(
      begun.map(async ({ resolve, reject }, index) => {
        const username = `${name}-${index}`
        const visitor = new Visitor(address, certificate)
        try {
          await visitor.login(username)
          for (let left = after, count = 0; left > 0 && count < MOST; count++) {
            if (count === before) resolve()
            if (this.#isOver) left--
            this.sent.push(await sendOne(visitor, username, count))
          }
        } catch (error) {
          reject(error)
          throw error
        } finally {
          visitor.close()
        }
      }),
    )
    // Whoever waits for one of them is told by it.
    for (const promise of [this.isUnderWay, this.#work]) promise.catch(() => {})
  }

  /** Has everybody send the last requests, and waits for them. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#work
  }
}

async function sendOne(visitor: Visitor, username: string, count: number): Promise<Sent> {
  const id = count % EACH_POST === EACH_POST - 1 ? `${username}-${count}` : null
  const request = { username, id, at: performance.now() }
  try {
    const { status, said } = await (id === null ? visitor.get('/') : visitor.post('/count', { id }))
    return { ...request, isAnswered: status === 200, ...said }
  } catch {
    return { ...request, isAnswered: false }
  }
}
