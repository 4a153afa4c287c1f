import test from 'ava'
import * as errors from '../lib/errors.ts'

interface Expected {
  make: () => errors.StrataError
  code: string
  status: number
  /** What the message must say, the remedy among it. */
  says: RegExp
  headers?: errors.ErrorHeaders
  fields?: Record<string, unknown>
}

const SECRET = 'secret of the cause'
const cause = new Error(SECRET)

const EXPECTED: Record<Exclude<keyof typeof errors, 'StrataError'>, Expected> = {
  OptionInvalid: {
    make: () => new errors.OptionInvalid('sessions()', 'deadline', 'must be at least 1.'),
    code: 'OPTION_INVALID',
    status: 500,
    says: /^sessions\(\): option 'deadline' must be at least 1\.$/,
    fields: { where: 'sessions()', option: 'deadline' },
  },
  LayerMissing: {
    make: () => new errors.LayerMissing('users()', 'ctx.session', 'sessions(…)'),
    code: 'LAYER_MISSING',
    status: 500,
    says: /^users\(\) needs ctx\.session\. Add app\.use\(sessions\(…\)\) before it, or put sessions\(…\) before it in stack\(\)\.$/,
  },
  SessionStoreUnavailable: {
    make: () => new errors.SessionStoreUnavailable(cause),
    code: 'SESSION_STORE_UNAVAILABLE',
    status: 503,
    says: /unavailable.*try again/,
    headers: { 'Retry-After': '2' },
    fields: { cause },
  },
  SessionContended: {
    make: () => new errors.SessionContended(30),
    code: 'SESSION_CONTENDED',
    status: 503,
    says: /30 times.*try again/,
    headers: { 'Retry-After': '1' },
  },
  SessionDataInvalid: {
    make: () => new errors.SessionDataInvalid('cart.items[0]', 'is a Map. Store text.'),
    code: 'SESSION_DATA_INVALID',
    status: 500,
    says: /^ctx\.session\.cart\.items\[0\] is a Map\. Store text\.$/,
    fields: { key: 'cart.items[0]' },
  },
  DjangoSettingUnsupported: {
    make: () => new errors.DjangoSettingUnsupported('SESSION_SERIALIZER', 'this session is pickled. Set it to JSON.'),
    code: 'DJANGO_SETTING_UNSUPPORTED',
    status: 500,
    says: /^djangoSessions\(\): this session is pickled\. Set it to JSON\.$/,
    fields: { setting: 'SESSION_SERIALIZER' },
  },
  SessionCookieTooLarge: {
    make: () => new errors.SessionCookieTooLarge(5000),
    code: 'SESSION_COOKIE_TOO_LARGE',
    status: 500,
    says: /5000 bytes.*Store less/,
  },
  SessionTooLate: {
    make: () => new errors.SessionTooLate(),
    code: 'SESSION_TOO_LATE',
    status: 500,
    says: /before sending the body/,
  },
  SessionsNotListable: {
    make: () => new errors.SessionsNotListable(),
    code: 'SESSIONS_NOT_LISTABLE',
    status: 500,
    says: /Use one that has list\(\)/,
  },
  SessionsNotEndable: {
    make: () => new errors.SessionsNotEndable('ldap'),
    code: 'SESSIONS_NOT_ENDABLE',
    status: 500,
    says: /'ldap'.*Give them a store.*endSessions\(id\)/,
  },
  CredentialsInvalid: {
    make: () => new errors.CredentialsInvalid('password'),
    code: 'CREDENTIALS_INVALID',
    status: 400,
    says: /must be text: 'password'/,
  },
  AccessDenied: {
    make: () => new errors.AccessDenied(),
    code: 'ACCESS_DENIED',
    status: 403,
    says: /^Access denied\.$/,
  },
  BackendUnavailable: {
    make: () => new errors.BackendUnavailable('ldap', cause),
    code: 'BACKEND_UNAVAILABLE',
    status: 503,
    says: /^(?!.*ldap).*unavailable.*try again/,
    headers: { 'Retry-After': '2' },
    fields: { backend: 'ldap', cause },
  },
  BackendInvalid: {
    make: () => new errors.BackendInvalid('ldap', 'must answer null.'),
    code: 'BACKEND_INVALID',
    status: 500,
    says: /^Backend 'ldap' must answer null\.$/,
    fields: { backend: 'ldap' },
  },
  LoginInvalid: {
    make: () => new errors.LoginInvalid('hand it a user.'),
    code: 'LOGIN_INVALID',
    status: 500,
    says: /^ctx\.login\(\): hand it a user\.$/,
  },
  LoginRequired: {
    make: () => new errors.LoginRequired(),
    code: 'LOGIN_REQUIRED',
    status: 401,
    says: /log in first/,
    headers: { 'WWW-Authenticate': 'Cookie realm="login"' },
  },
  PermissionDenied: {
    make: () => new errors.PermissionDenied('jobs.publish'),
    code: 'PERMISSION_DENIED',
    status: 403,
    says: /^(?!.*jobs\.publish).*permission/,
    fields: { permission: 'jobs.publish' },
  },
  ProfileRequired: {
    make: () => new errors.ProfileRequired('employer'),
    code: 'PROFILE_REQUIRED',
    status: 403,
    says: /profile as employer/,
    fields: { kind: 'employer' },
  },
  BasicRequired: {
    make: () => new errors.BasicRequired('Basic realm="Jobs"'),
    code: 'BASIC_REQUIRED',
    status: 401,
    says: /log in, or send a user name and password/,
    headers: { 'WWW-Authenticate': 'Basic realm="Jobs"' },
  },
  HttpsRequired: { make: () => new errors.HttpsRequired(), code: 'HTTPS_REQUIRED', status: 403, says: /https only/ },
  CrossSiteRequest: {
    make: () => new errors.CrossSiteRequest(),
    code: 'CROSS_SITE_REQUEST',
    status: 403,
    says: /another site/,
  },
  ProfileInvalid: {
    make: () => new errors.ProfileInvalid({ company: 'The company is missing.', role: 'This field cannot be set.' }),
    code: 'PROFILE_INVALID',
    status: 422,
    says: /^The company is missing\. This field cannot be set\.$/,
    fields: { fields: { company: 'The company is missing.', role: 'This field cannot be set.' } },
  },
  ProfileExists: {
    make: () => new errors.ProfileExists(),
    code: 'PROFILE_EXISTS',
    status: 409,
    says: /a profile already/,
  },
  ProfileUnknown: {
    make: () => new errors.ProfileUnknown(),
    code: 'PROFILE_UNKNOWN',
    status: 404,
    says: /no such profile/,
  },
  FeedTokenInvalid: {
    make: () => new errors.FeedTokenInvalid({ name: 'Please give it a name.' }),
    code: 'FEED_TOKEN_INVALID',
    status: 422,
    says: /^Please give it a name\.$/,
    fields: { fields: { name: 'Please give it a name.' } },
  },
  FeedTokenOutOfScope: {
    make: () => new errors.FeedTokenOutOfScope(),
    code: 'FEED_TOKEN_OUT_OF_SCOPE',
    status: 403,
    says: /for other feeds/,
  },
  UserInvalid: {
    make: () => new errors.UserInvalid({ username: 'Choose a name.', email: 'Check the address.' }),
    code: 'USER_INVALID',
    status: 422,
    says: /^Choose a name\. Check the address\.$/,
    fields: { fields: { username: 'Choose a name.', email: 'Check the address.' } },
  },
  UserExists: {
    make: () => new errors.UserExists('email'),
    code: 'USER_EXISTS',
    status: 409,
    says: /e-mail address is taken/,
    fields: { field: 'email' },
  },
  TooManyAttempts: {
    make: () => new errors.TooManyAttempts(90),
    code: 'TOO_MANY_ATTEMPTS',
    status: 429,
    says: /try again later/,
    headers: { 'Retry-After': '90' },
    fields: { retryAfter: 90 },
  },
  PasswordsBusy: {
    make: () => new errors.PasswordsBusy(),
    code: 'PASSWORDS_BUSY',
    status: 503,
    says: /try again/,
    headers: { 'Retry-After': '5' },
  },
  RemoteUserInvalid: {
    make: () => new errors.RemoteUserInvalid('x-remote-user', 'came twice'),
    code: 'REMOTE_USER_INVALID',
    status: 400,
    says: /^The header x-remote-user came twice\.$/,
    fields: { header: 'x-remote-user' },
  },
  HostInvalid: {
    make: () => new errors.HostInvalid('X-Forwarded-Host'),
    code: 'HOST_INVALID',
    status: 400,
    says: /^The request's X-Forwarded-Host names no host\.$/,
    fields: { where: 'X-Forwarded-Host' },
  },
  HostUnknown: {
    make: () => new errors.HostUnknown('Host'),
    code: 'HOST_UNKNOWN',
    status: 421,
    says: /^The request's Host names a host that this site does not go by\.$/,
    fields: { where: 'Host' },
  },
  GroupExists: {
    make: () => new errors.GroupExists(),
    code: 'GROUP_EXISTS',
    status: 409,
    says: /a group of this name/,
  },
  GroupUnknown: { make: () => new errors.GroupUnknown(), code: 'GROUP_UNKNOWN', status: 404, says: /no such group/ },
  UserUnknown: { make: () => new errors.UserUnknown(), code: 'USER_UNKNOWN', status: 404, says: /no such user/ },
}

test('Every error of the library is in the table of this test.', t => {
  const classes = Object.keys(errors).filter(name => name !== 'StrataError')
  t.deepEqual(classes.toSorted(), Object.keys(EXPECTED).toSorted())
})

for (const [name, { make, code, status, says, headers = {}, fields = {} }] of Object.entries(EXPECTED)) {
  test(`${name} is what Koa answers ${status} for, by the code ${code}, and says what to do.`, t => {
    const error = make()
    t.true(error instanceof Error)
    t.true(error instanceof errors.StrataError)
    t.is(error.name, name)
    t.is(error.code, code)
    t.is(error.status, status)
    t.is(error.expose, status < 500 || status === 503)
    t.deepEqual(error.headers, headers)
    t.regex(error.message, says)
    t.true(/[.!]$/.test(error.message))
    t.false(error.message.includes(SECRET))
    for (const [field, value] of Object.entries(fields)) t.deepEqual(Reflect.get(error, field), value)
    if (!('cause' in fields)) t.false('cause' in error)
  })
}

test('The codes differ.', t => {
  const codes = Object.values(EXPECTED).map(({ code }) => code)
  t.is(new Set(codes).size, codes.length)
  for (const code of codes) t.regex(code, /^[A-Z]+(_[A-Z]+)*$/)
})

test('Errors of the session as a whole name no key.', t => {
  t.is(new errors.SessionDataInvalid('', 'is too large.').message, 'ctx.session is too large.')
})

test('The name that is taken is the one that is told.', t => {
  t.is(new errors.UserExists('username').message, 'This name is taken.')
})

test('A backend may say in its own words why it refuses.', t => {
  t.is(new errors.AccessDenied('Locked until Monday.').message, 'Locked until Monday.')
})

test('Headers of one error are not those of another.', t => {
  const [one, other] = [new errors.LoginRequired(), new errors.LoginRequired()]
  one.headers['Set-Cookie'] = 'a=b'
  t.false('Set-Cookie' in other.headers)
  const [bare, plain] = [new errors.HttpsRequired(), new errors.HttpsRequired()]
  bare.headers['Set-Cookie'] = 'a=b'
  t.deepEqual(plain.headers, {})
})
