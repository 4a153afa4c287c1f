import { StrataError } from './strata-error.ts'

/** A proxy's user header came twice, in two spellings, or holds what is no name (400): somebody else than the proxy may have sent it. */
export class RemoteUserInvalid extends StrataError {
  readonly code = 'REMOTE_USER_INVALID'
  readonly header: string
  /** @param header the name of the header @param problem as the rest of a sentence */
  constructor(header: string, problem: string) {
    super(`The header ${header} ${problem}.`, { status: 400 })
    this.header = header
  }
}

/** A request names as its host what is none (400, RFC 9112 §3.2): it would end up in absolute addresses. */
export class HostInvalid extends StrataError {
  readonly code = 'HOST_INVALID'
  /** What of the request says so: `Host`, `X-Forwarded-Host`, `:authority` or `target`. */
  readonly where: string
  constructor(where: string) {
    super(`The request's ${where} names no host.`, { status: 400 })
    this.where = where
  }
}

/** A request names a host that is none of this site's (421, RFC 9110 §15.5.20). */
export class HostUnknown extends StrataError {
  readonly code = 'HOST_UNKNOWN'
  /** What of the request says so: `Host`, `X-Forwarded-Host`, `:authority` or `target`. */
  readonly where: string
  constructor(where: string) {
    super(`The request's ${where} names a host that this site does not go by.`, { status: 421 })
    this.where = where
  }
}
