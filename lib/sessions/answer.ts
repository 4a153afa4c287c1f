import { inspect, types } from 'node:util'
import type { ParameterizedContext } from 'koa'
import { SessionTooLate } from '../errors.ts'

/** What the session, and a private feed, add to one response: a cookie, and what caches must know. It holds for error pages too, whose header Koa starts anew. */
export class SessionAnswer {
  readonly #ctx: ParameterizedContext
  readonly #fields = new Set<string>()
  #isPrivate = false
  #hidesAddress = false
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

  /**
   * Says that the response, whatever becomes of it, depends on this field of the request. It is said at once as well, for a handler that sends the
   * head itself, and for a page that is made when the session layer has answered, as one for an error.
   */
  dependsOn(field: string): void {
    if (this.#fields.has(field)) return
    this.#fields.add(field)
    if (!this.#ctx.headerSent) this.#ctx.vary(field)
  }

  /** Keeps the response, whatever becomes of it, out of shared caches, and says that it depends on this field of the request too. */
  keepPrivate(field: string): void {
    this.#isPrivate = true
    this.#fields.add(field)
    this.complete()
  }

  /** Has no browser tell other sites, or this one, the address of this response: there was a secret in it. */
  hideAddress(): void {
    this.#hidesAddress = true
    this.complete()
  }

  /** Completes the header of a response that went well. */
  complete(): void {
    if (this.#ctx.headerSent) return
    for (const field of this.#fields) this.#ctx.vary(field)
    if (this.#hidesAddress) this.#ctx.set('Referrer-Policy', NO_REFERRER)
    if (this.#isPrivate || this.#line !== null)
      this.#ctx.set('Cache-Control', asPrivate(String(this.#ctx.res.getHeader('Cache-Control') ?? '')))
  }

  /** The error to throw on: the same one, or a stand-in for it, with the header that its answer needs. */
  completeError(thrown: unknown): unknown {
    // For an error page of the application's own; Koa's begins with an empty header and takes the error's.
    this.complete()
    const line = this.#line
    const hidesAddress = this.#hidesAddress
    const additions = { line, fields: this.#fields, isPrivate: this.#isPrivate || line !== null, hidesAddress }
    const empty = line === null && this.#fields.size === 0 && !hidesAddress
    if (thrown === null || thrown === undefined || (!empty && !isError(thrown))) {
      return completed(new Error(`non-error thrown: ${inspect(thrown)}`), additions)
    }
    return empty ? thrown : completed(thrown as AnswerableError, additions)
  }
}

interface Additions {
  line: string | null
  fields: ReadonlySet<string>
  isPrivate: boolean
  hidesAddress: boolean
}

/** W3C Referrer Policy §3.1. */
const NO_REFERRER = 'no-referrer'

interface AnswerableError extends Error {
  headers?: unknown
  status?: unknown
}

function isError(thrown: unknown): thrown is AnswerableError {
  return thrown instanceof Error || types.isNativeError(thrown)
}

/**
 * A cookie goes on a stand-in that inherits all but the header: an error that the application keeps and throws again, for somebody else, would
 * carry it to them.
 */
function completed(error: AnswerableError, additions: Additions): Error {
  const headers = mergedHeaders(error.headers, additions)
  if (additions.line === null) {
    try {
      error.headers = headers
      if (error.headers === headers) return error
    } catch {
      // A frozen error.
    }
  }
  const own = (value: unknown) => ({ value, writable: true, enumerable: true, configurable: true })
  return Object.create(error, {
    // Not enumerable, so that whoever logs the error does not log the cookie.
    headers: { value: headers, writable: true, configurable: true },
    // Koa sets the status of what it answers, which a frozen error would refuse.
    ...('status' in error && { status: own(error.status) }),
    // Koa knows errors of another realm by this.
    [Symbol.toStringTag]: { value: 'Error' },
  })
}

function mergedHeaders(given: unknown, { line, fields, isPrivate, hidesAddress }: Additions): Record<string, unknown> {
  const headers: Record<string, unknown> = given !== null && typeof given === 'object' ? { ...given } : {}
  const taken = (name: string): string[] => {
    const names = Object.keys(headers).filter(one => one.toLowerCase() === name)
    const values = names.flatMap(one => headers[one]).map(String)
    for (const one of names) delete headers[one]
    return values
  }
  if (fields.size > 0) headers.Vary = [...fields].reduce(variedBy, taken('vary').join(', '))
  if (line !== null) headers['Set-Cookie'] = [...taken('set-cookie'), line]
  if (isPrivate) headers['Cache-Control'] = asPrivate(taken('cache-control').join(', '))
  if (hidesAddress) {
    taken('referrer-policy')
    headers['Referrer-Policy'] = NO_REFERRER
  }
  return headers
}

function variedBy(vary: string, field: string): string {
  const fields = vary.split(',').map(one => one.trim().toLowerCase())
  if (fields.includes(field.toLowerCase()) || fields.includes('*')) return vary
  return vary === '' ? field : `${vary}, ${field}`
}

/** A Cache-Control that keeps shared caches away and loses nothing else (RFC 9111 §5.2.2). */
export function asPrivate(cacheControl: string): string {
  const directives = (cacheControl.match(/(?:"(?:\\.|[^"\\])*"?|[^",])+/g) ?? [])
    .map(directive => directive.trim())
    .filter(directive => directive !== '' && !/^(public|s-maxage\s*=.*|private\s*=.*)$/is.test(directive))
  const kept = directives.join(', ')
  if (directives.some(directive => /^(no-store|private)$/i.test(directive))) return kept
  return kept === '' ? 'private' : `private, ${kept}`
}
