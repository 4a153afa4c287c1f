/** HTTP header fields that an error's answer must carry, as Koa's own error handler reads them. */
export type ErrorHeaders = Record<string, string>

interface ErrorTraits {
  status?: number
  headers?: ErrorHeaders
  cause?: unknown
}

/**
 * What every error of this library is. `code` is stable across versions; `status`, `expose` and `headers` are what Koa's error handler reads.
 * The message says what happened and what to do, and is shown to the client where `expose` is true (status below 500, and 503). What must
 * not reach a client stays in `cause`.
 */
export abstract class StrataError extends Error {
  /** A stable, upper-case name to branch on. */
  abstract readonly code: string
  /** The HTTP status of the answer. */
  readonly status: number
  /** Whether Koa may show the message to the client. */
  readonly expose: boolean
  /** Fields the answer carries. */
  readonly headers: ErrorHeaders

  constructor(message: string, { status = 500, headers = {}, cause }: ErrorTraits = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.status = status
    this.expose = status < 500 || status === 503
    this.headers = headers
  }
}
