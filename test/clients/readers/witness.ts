import { EventEmitter, once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/** A request that was answered. */
export interface Exchange {
  readonly method: string
  readonly status: number
  /** Whether it carried a name and a password, right or wrong. */
  readonly credentials: boolean
  /** What it named of an answer that it had: `ETag`, `Last-Modified`. */
  readonly known: readonly string[]
  /** Whether it carried the balancer's cookie. */
  readonly cookie: boolean
}

const COOKIE = 'balancer=7'

/**
 * Stands in front of a server and writes down what is asked for. It also does what a load balancer in front would do: it sets a cookie with
 * every answer, which a private feed does not.
 */
export class Witness {
  /** The cookies that the server itself has set. */
  readonly serverCookies: string[] = []
  /** The paths beside the feed that were asked for with a name and a password. */
  readonly strayCredentials: string[] = []
  readonly #path: string
  readonly #told = new EventEmitter()
  readonly #exchanges: Exchange[] = []
  #admit = async (_: IncomingMessage): Promise<void> => {}

  constructor(server: Server, path: string) {
    this.#path = path
    const [answer] = server.listeners('request')
    server.removeAllListeners('request').on('request', async (request: IncomingMessage, response: ServerResponse) => {
      await this.#admit(request)
      response.setHeader('set-cookie', [COOKIE])
      response.once('finish', () => this.#write(request, response))
      answer!(request, response)
    })
  }

  /**
   * Has requests of a method wait from now on, for a reader that polls by itself: one passes at each call of what this answers.
   * They come one at a time.
   */
  holdBack(method: string): () => void {
    let turn = Promise.withResolvers<void>()
    this.#admit = async request => {
      if (request.method !== method) return
      await turn.promise
      turn = Promise.withResolvers()
    }
    return () => turn.resolve()
  }

  /** The requests for the feed since this was asked last, in the order of their answers. */
  take(): Exchange[] {
    return this.#exchanges.splice(0)
  }

  /** Whether somebody is answered for good within these milliseconds from now: not by a 401 that asks for the name and the password. */
  async answersWithin(milliseconds: number): Promise<boolean> {
    const signal = AbortSignal.timeout(milliseconds)
    return once(this.#told, 'answer', { signal }).then(
      () => true,
      () => false,
    )
  }

  #write({ method = '', url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const set = [response.getHeader('set-cookie') ?? []].flat().map(String)
    this.serverCookies.push(...set.filter(cookie => cookie !== COOKIE))
    const credentials = headers.authorization !== undefined
    if (url !== this.#path) {
      if (credentials) this.strayCredentials.push(url)
      return
    }
    const known: string[] = []
    // curl sends an empty tag where it has none yet.
    if ((headers['if-none-match'] ?? '""') !== '""') known.push('ETag')
    if (headers['if-modified-since'] !== undefined) known.push('Last-Modified')
    const cookie = headers.cookie?.includes(COOKIE) ?? false
    this.#exchanges.push({ method, status: response.statusCode, credentials, known, cookie })
    if (credentials || response.statusCode !== 401) this.#told.emit('answer')
  }
}
