import { StrataError } from './strata-error.ts'

/** The user is known and has no profile of the kind (403). */
export class ProfileRequired extends StrataError {
  readonly code = 'PROFILE_REQUIRED'
  readonly kind: string
  constructor(kind: string) {
    super(`This page is for people with a profile as ${kind}.`, { status: 403 })
    this.kind = kind
  }
}

/** What is wrong with the values of a profile (422), each in words that a form can show beside its field. Nothing was stored. */
export class ProfileInvalid extends StrataError {
  readonly code = 'PROFILE_INVALID'
  readonly fields: Readonly<Record<string, string>>
  /** @param fields the message for each wrong field */
  constructor(fields: Readonly<Record<string, string>>) {
    super(Object.values(fields).join(' '), { status: 422 })
    this.fields = fields
  }
}

/** The user has a profile of this kind already (409). */
export class ProfileExists extends StrataError {
  readonly code = 'PROFILE_EXISTS'
  constructor() {
    super('There is a profile already.', { status: 409 })
  }
}

/** The user has no profile of this kind (404). */
export class ProfileUnknown extends StrataError {
  readonly code = 'PROFILE_UNKNOWN'
  constructor() {
    super('There is no such profile.', { status: 404 })
  }
}
