import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client'

/** Why a login at the identity provider came to nothing. */
export type LoginFailureReason = 'unavailable' | 'denied' | 'stale' | 'untrusted'

const ANSWERS: Readonly<Record<LoginFailureReason, { status: number; message: string }>> = {
  unavailable: { status: 503, message: 'Example ID cannot be reached at the moment. Please try again shortly.' },
  denied: { status: 403, message: 'Example ID did not let you in, or you changed your mind.' },
  stale: { status: 400, message: 'This login has been used or has expired. Please log in again.' },
  untrusted: { status: 400, message: 'What came from Example ID could not be verified. Please log in again.' },
}

/** A login at the identity provider that came to nothing, in words for the person; what it was is in `detail`, for operators. */
export class LoginFailure extends Error {
  override readonly name = 'LoginFailure'
  readonly reason: LoginFailureReason
  readonly status: number
  readonly expose = true
  readonly headers: Record<string, string>
  /** Says what failed, and quotes nothing that came over the wire: codes and tokens would end up in logs. */
  readonly detail: string

  constructor(reason: LoginFailureReason, detail: string) {
    const { status, message } = ANSWERS[reason]
    super(message)
    this.reason = reason
    this.status = status
    this.headers = status === 503 ? { 'Retry-After': '5' } : {}
    this.detail = detail
  }
}

/** The answer was none of the provider's own, as that of a proxy whose provider is down. */
const NO_ANSWER = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
])

/** What an error of openid-client means for the login. Its `cause` may hold tokens, and is left behind. */
export function loginFailure(error: unknown): LoginFailure {
  if (error instanceof LoginFailure) return error
  if (error instanceof AuthorizationResponseError) {
    const isPassing = ['server_error', 'temporarily_unavailable'].includes(error.error)
    return new LoginFailure(isPassing ? 'unavailable' : 'denied', 'The provider answered with an error.')
  }
  if (error instanceof ResponseBodyError) {
    if (error.error === 'invalid_grant') return new LoginFailure('stale', 'The provider refused the code.')
    return new LoginFailure('unavailable', `The provider answered ${error.status} when the code was exchanged.`)
  }
  const { code = '' } = error instanceof ClientError ? error : {}
  if (error instanceof TypeError || NO_ANSWER.has(code))
    return new LoginFailure('unavailable', `No answer: ${code || 'the network'}.`)
  return new LoginFailure('untrusted', `The answer was refused: ${code || 'for no reason known'}.`)
}
