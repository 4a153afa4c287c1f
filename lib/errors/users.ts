import { StrataError } from './strata-error.ts'

/** What is wrong with the fields of a user (422), each in words that a form can show beside it. */
export class UserInvalid extends StrataError {
  readonly code = 'USER_INVALID'
  readonly fields: Readonly<Record<string, string>>
  /** @param fields the message for each wrong field */
  constructor(fields: Readonly<Record<string, string>>) {
    super(Object.values(fields).join(' '), { status: 422 })
    this.fields = fields
  }
}

/** Another user has this name or e-mail address (409). */
export class UserExists extends StrataError {
  readonly code = 'USER_EXISTS'
  readonly field: 'username' | 'email'
  constructor(field: 'username' | 'email') {
    super(field === 'email' ? 'This e-mail address is taken.' : 'This name is taken.', { status: 409 })
    this.field = field
  }
}

/** No user has this id (404). */
export class UserUnknown extends StrataError {
  readonly code = 'USER_UNKNOWN'
  constructor() {
    super('There is no such user.', { status: 404 })
  }
}

/** Another group has this name (409). */
export class GroupExists extends StrataError {
  readonly code = 'GROUP_EXISTS'
  constructor() {
    super('There is a group of this name.', { status: 409 })
  }
}

/** No group has this name (404). */
export class GroupUnknown extends StrataError {
  readonly code = 'GROUP_UNKNOWN'
  constructor() {
    super('There is no such group.', { status: 404 })
  }
}
