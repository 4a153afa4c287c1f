/**
 * A service of profiles could not be asked, or what it answered is no profile. The message is for operators: it holds no token, no user and
 * nothing of what was answered, and there is no cause, for the errors of `fetch` may quote both.
 */
export class ProfileServiceError extends Error {
  override readonly name = 'ProfileServiceError'

  /** @param problem what it did, as the rest of a sentence */
  constructor(problem: string) {
    super(`The profile service ${problem}.`)
  }
}
