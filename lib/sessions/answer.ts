import { inspect } from 'node:util'
import type { ParameterizedContext } from 'koa'
import { SessionTooLate } from '../errors.ts'

/** What the session adds to one response: its cookie, and what caches must know. It holds for error pages too, whose header Koa starts anew. */
export class SessionAnswer {
  readonly #ctx: ParameterizedContext
  #line: string | null = null

  constructor(ctx: ParameterizedContext) {
    this.#ctx = ctx
  }

  /** Sends this Set-Cookie line, in the place of one that was to be sent before. @throws SessionTooLate when the head is on its way */
  setCookie(line: string): void {
    if (this.#ctx.headerSent) throw new SessionTooLate()
    const others = [this.#ctx.res.getHeader('Set-Cookie') ?? []]
      .flat()
      .map(String)
      .filter(one => one !== this.#line)
    this.#ctx.set('Set-Cookie', [...others, line])
    this.#line = line
  }

  /** @throws SessionTooLate where a cookie could not be sent any more */
  assertOpen(): void {
    if (this.#ctx.headerSent) throw new SessionTooLate()
  }

  /** Completes the header of a response that went well. */
  complete(wasRead: boolean): void {
    if (this.#ctx.headerSent) return
    if (wasRead) this.#ctx.vary('Cookie')
    if (this.#line !== null)
      this.#ctx.set('Cache-Control', asPrivate(String(this.#ctx.res.getHeader('Cache-Control') ?? '')))
  }

  /** The error to throw on: the same one, with the header that its answer needs. */
  completeError(thrown: unknown, wasRead: boolean): unknown {
    const headers: Record<string, string | string[]> = {}
    if (wasRead) headers.Vary = 'Cookie'
    if (this.#line !== null) Object.assign(headers, { 'Set-Cookie': [this.#line], 'Cache-Control': 'private' })
    const empty = Object.keys(headers).length === 0
    if (thrown === null || thrown === undefined || (!empty && !(thrown instanceof Error))) {
      return Object.assign(new Error(`non-error thrown: ${inspect(thrown)}`), { headers })
    }
    return empty ? thrown : withHeaders(thrown as Error & { headers?: object }, headers)
  }
}

/** A Cache-Control that keeps shared caches away and loses nothing else (RFC 9111 §5.2.2). */
export function asPrivate(cacheControl: string): string {
  const directives = cacheControl.split(',').map(directive => directive.trim())
  if (directives.some(directive => /^(no-store|private)$/i.test(directive))) return cacheControl
  return [
    'private',
    ...directives.filter(directive => directive !== '' && !/^(public|s-maxage\s*=.*|private\s*=.*)$/i.test(directive)),
  ].join(', ')
}

function withHeaders(error: Error & { headers?: object }, headers: object): Error {
  const all = { ...error.headers, ...headers, ...mergedVary(error.headers, headers) }
  try {
    error.headers = all
    if (error.headers === all) return error
  } catch {
    // A frozen error: its stand-in inherits all but the header.
  }
  return Object.create(error, { headers: { value: all, enumerable: true } })
}

function mergedVary(one: object = {}, other: object = {}): { Vary?: string } {
  const fields = [one, other]
    .flatMap(headers => Object.entries(headers))
    .filter(([name]) => name.toLowerCase() === 'vary')
  return fields.length === 0 ? {} : { Vary: fields.map(([, value]) => value).join(', ') }
}
