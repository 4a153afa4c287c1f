import { StrataError } from './strata-error.ts'

/** HTTP Basic credentials are missing or wrong (401 with the challenge, RFC 7617 §2). */
export class BasicRequired extends StrataError {
  readonly code = 'BASIC_REQUIRED'
  constructor(challenge: string) {
    super('Please log in, or send a user name and password.', {
      status: 401,
      headers: { 'WWW-Authenticate': challenge },
    })
  }
}

/** Basic credentials would travel in the clear (403, and no challenge that would ask for them). */
export class HttpsRequired extends StrataError {
  readonly code = 'HTTPS_REQUIRED'
  constructor() {
    super('This address is served over https only.', { status: 403 })
  }
}

/** What is wrong with a new feed token (422), each in words that a form can show beside its field. Nothing was made. */
export class FeedTokenInvalid extends StrataError {
  readonly code = 'FEED_TOKEN_INVALID'
  readonly fields: Readonly<Record<string, string>>
  /** @param fields the message for each wrong field */
  constructor(fields: Readonly<Record<string, string>>) {
    super(Object.values(fields).join(' '), { status: 422 })
    this.fields = fields
  }
}

/** A feed token was shown that is for other feeds (403). */
export class FeedTokenOutOfScope extends StrataError {
  readonly code = 'FEED_TOKEN_OUT_OF_SCOPE'
  constructor() {
    super('This token is for other feeds.', { status: 403 })
  }
}
