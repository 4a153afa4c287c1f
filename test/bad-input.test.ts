import { gzipSync } from 'node:zlib'
import anyTest, { type TestFn } from 'ava'
import { newSessionId, storeId } from '../lib/sessions/id.ts'
import { Signer } from '../lib/sessions/signature.ts'
import { basic } from './feeds/people.ts'
import { form, json, KEYS, PASSWORD, type Sent, type Site, send, signed, startSite } from './site.ts'

const test = anyTest as TestFn<Site>

test.before(async t => {
  t.context = await startSite()
})
test.after.always(t => t.context.close())

let rows = 0
/** One wrong input: what it is answered with, and that nothing changes. One after the other, since all look at what is stored. */
function row(what: string, expected: number, sent: Sent | ((site: Site) => Sent), says?: RegExp): void {
  rows++
  test.serial(`${what}: ${expected}, no fault, nothing stored`, async t => {
    const site = t.context
    const before = await site.dump()
    const { status, head, body } = await send(site.port, typeof sent === 'function' ? sent(site) : sent)
    t.is(status, expected, `${head}\n\n${body}`)
    if (says) t.regex(body, says)
    t.deepEqual(site.hidden.splice(0), [])
    t.deepEqual(await site.dump(), before)
    t.notRegex(head, /\r\nset-cookie: sid=[\w-]/i)
  })
}

// Cookies: each one is dropped, and the page that needs a login says so.
const cookies: Record<string, string | ((site: Site) => string)> = {
  'with an empty value': 'sid=',
  'without a value': 'sid',
  'of an equals sign': '=',
  'of semicolons': ';;; ;',
  'that is a dot': 'sid=.',
  'that is a name': 'sid=ada',
  'that is a user key': 'sid=sql:1',
  'that is a path': `sid=${signed('../../etc/passwd')}`,
  'that is a lock of another library': `sid=${signed('lock:x')}`,
  'with an id without a signature': ({ id }) => `sid=${id}`,
  'with an id and an empty signature': ({ id }) => `sid=${id}.`,
  'with a signature and no id': ({ ada }) => `sid=.${ada.split('.')[1]}`,
  'with a wrong signature': ({ id }) => `sid=${id}.${'A'.repeat(43)}`,
  'with a signature cut short': ({ ada }) => ada.slice(0, -1),
  'with a signature made longer': ({ ada }) => `${ada}A`,
  'with a padded signature': ({ ada }) => `${ada}=`,
  'with the signature of another id': ({ id }) => `sid=${id}.${signed(newSessionId()).split('.')[1]}`,
  'signed with a key that is not ours': ({ id }) =>
    `sid=${signed(id, 'id', 'sid', 'a key of somebody else, 32 bytes')}`,
  'signed for a cookie of another name': ({ id }) => `sid=${signed(id, 'id', 'other')}`,
  'signed for data in the cookie': ({ id }) => `sid=${signed(id, 'data')}`,
  'signed without a purpose': ({ id }) => `sid=${id}.${new Signer('test', KEYS).sign(id)}`,
  'with the id in upper case': ({ ada }) => ada.toUpperCase().replace('SID=', 'sid='),
  'with one character of the id changed': ({ ada }) =>
    ada.replace(/^sid=./, first => `sid=${first.endsWith('A') ? 'B' : 'A'}`),
  'with the id that the store knows': ({ id }) => `sid=${signed(storeId(id))}`,
  'with an id that is too short': ({ id }) => `sid=${signed(id.slice(1))}`,
  'with an id that is too long': ({ id }) => `sid=${signed(`${id}A`)}`,
  'with an id that holds other characters': `sid=${signed('+'.repeat(43))}`,
  'with two dots': ({ ada }) => ada.replace('.', '..'),
  'with the dot encoded': ({ ada }) => ada.replace('.', '%2E'),
  'in quotes': ({ ada }) => `sid="${ada.slice(4)}"`,
  'with a name in upper case': ({ ada }) => ada.replace('sid', 'SID'),
  'with a name that has a prefix': ({ ada }) => ada.replace('sid', '__Host-sid'),
  'with a name that has an ending': ({ ada }) => ada.replace('sid', 'sid2'),
  'twice, both right': ({ ada }) => `${ada}; ${ada}`,
  'twice, the second wrong': ({ ada }) => `${ada}; sid=x`,
  'twice, the first wrong': ({ ada }) => `sid=x; ${ada}`,
  'of two people': ({ ada, partner }) => `${ada}; ${partner}`,
  'behind a comma': ({ ada }) => `a=b, ${ada}`,
  'with names that every object has': '__proto__=x; constructor=y; toString=z',
  'of 12,000 characters': `sid=${'A'.repeat(12_000)}`,
  'among 1,000 others, wrong': `${'a=b; '.repeat(1000)}sid=x`,
  'that is JSON': 'sid={"_login":{"backend":"sql","id":"1","stamp":""}}',
  'with data in it, unsigned': `sid=${Buffer.from('{"data":{"_created":1},"seen":1}').toString('base64url')}.x`,
  'with data in it, signed for an id': `sid=${signed(Buffer.from('{"data":{"_created":1},"seen":1}').toString('base64url'))}`,
  'with a percent sign': 'sid=%',
  'of a session that never was': ({ stale }) => stale.absent!,
  'of a session that has expired': ({ stale }) => stale.expired!,
  'of a session beyond the absolute timeout': ({ stale }) => stale['too old']!,
  'of a session that has ended': ({ stale }) => stale.ended!,
  'of a session whose backend is gone': ({ stale }) => stale['of another backend']!,
}
for (const [what, cookie] of Object.entries(cookies)) {
  row(`A cookie ${what}`, 401, site => ({
    headers: [`Cookie: ${typeof cookie === 'string' ? cookie : cookie(site)}`],
  }))
}
for (const what of [
  'without a begin',
  'a begin that is text',
  'a login that is text',
  'a login without a stamp',
  'a list',
  'text',
  'null',
  'too deep',
]) {
  row(`A cookie of a session whose record is corrupt (${what})`, 401, ({ stale }) => ({
    headers: [`Cookie: ${stale[what]}`],
  }))
}
row('A right cookie in two Cookie fields', 401, ({ ada }) => ({ headers: [`Cookie: ${ada}`, `Cookie: ${ada}`] }))
row('A cookie of bytes above ASCII', 401, {
  headers: [Buffer.from([...Buffer.from('Cookie: sid='), 0xff, 0xe2, 0x98])],
})
row('A cookie with a control character', 400, { headers: ['Cookie: sid=\x01'] })
row('A cookie with NUL', 400, { headers: ['Cookie: sid=a\0b'] })
row('A cookie beyond what Node reads', 431, { headers: [`Cookie: sid=${'A'.repeat(70_000)}`] })
row("Somebody else's session does for no page that needs a profile", 403, ({ partner }) =>
  json('/openings', {}, [`Cookie: ${partner}`]),
)
row('A wrong cookie and wrong credentials', 401, {
  path: '/feed',
  headers: ['Cookie: sid=x', 'Authorization: Basic x'],
})

// The Authorization header.
const authorizations: Record<string, string> = {
  empty: '',
  'the scheme alone': 'Basic',
  'of another scheme': 'Bearer abc',
  Digest: 'Digest username="Ada"',
  'of base64 that is none': 'Basic ****',
  'with bits left over': 'Basic QWRhOnB3=',
  'without a colon': `Basic ${Buffer.from('Ada').toString('base64')}`,
  'with an empty name': basic('', PASSWORD),
  'with an empty password': basic('Ada', ''),
  'with a wrong password': basic('Ada', 'pässwörd'),
  'with the password in another case': basic('Ada', PASSWORD.toUpperCase()),
  'with the password in Latin-1, where it has another character': basic('Ada', 'pässwörd', 'latin1'),
  'with an unknown name': basic('Bob', PASSWORD),
  'with a name that looks like one there is': basic('Ａda ', 'x'),
  'with NUL behind the name': basic('Ada\0', PASSWORD),
  'with a line break in the password': basic('Ada', `${PASSWORD}\n`),
  'with SQL as the name': basic("Ada' or '1'='1", "x' or '1'='1"),
  'with wrong UTF-8': `Basic ${Buffer.from([0x41, 0x3a, 0xff, 0x80]).toString('base64')}`,
  'with a password of 5,000 bytes': basic('Ada', 'x'.repeat(5_000)),
  'with trailing garbage': `${basic('Ada', PASSWORD)} x`,
  'with two tokens': `${basic('Ada', PASSWORD)}, ${basic('Ada', PASSWORD)}`,
}
for (const [what, value] of Object.entries(authorizations)) {
  row(`An Authorization header ${what}`, 401, { path: '/feed', headers: [`Authorization: ${value}`] })
}
row('Two right Authorization headers', 401, {
  path: '/feed',
  headers: [`Authorization: ${basic('Ada', PASSWORD)}`, `Authorization: ${basic('Ada', PASSWORD)}`],
})
row('An Authorization header beyond what Node reads', 431, {
  path: '/feed',
  headers: [`Authorization: Basic ${'A'.repeat(70_000)}`],
})
row('Basic credentials of somebody without the permission', 403, {
  path: '/reports',
  headers: [`Authorization: ${basic('ACME/42', 'partner pw')}`],
})
row('A session of somebody without the permission', 403, ({ ada }) => ({
  path: '/reports',
  headers: [`Cookie: ${ada}`],
}))
row('Wrong credentials beside a session of somebody without the permission', 401, ({ ada }) => ({
  path: '/reports',
  headers: [`Cookie: ${ada}`, `Authorization: ${basic('Ada', 'x')}`],
}))
row('Basic credentials on a page that takes sessions only', 401, {
  headers: [`Authorization: ${basic('Ada', PASSWORD)}`],
})
row('A feed poll with the right ETag and no credentials', 401, { path: '/feed', headers: ['If-None-Match: *'] })

// Other headers.
const fromAda =
  (headers: string[], body = 'note=hello') =>
  (site: Site) =>
    form('/note', body, [`Cookie: ${site.ada}`, ...headers])
row('A POST from another origin', 403, fromAda(['Origin: https://evil.example']), /another site/)
row('A POST from the origin null', 403, fromAda(['Origin: null']))
row('A POST from an origin that is none', 403, fromAda(['Origin: jobs.example']))
row('A POST from an empty origin', 403, fromAda(['Origin: ']))
row('A POST from an origin that ends like ours', 403, fromAda(['Origin: http://evil-jobs.example']))
row('A POST from an origin that begins like ours', 403, fromAda(['Origin: http://jobs.example.evil.example']))
row('A POST from our host at another port', 403, fromAda(['Origin: http://jobs.example:8080']))
row('A POST from two origins', 403, fromAda(['Origin: http://jobs.example https://evil.example']))
row('A POST that a page of another site sent', 403, fromAda(['Sec-Fetch-Site: cross-site']))
row(
  'A POST that a page of a sibling host sent',
  403,
  fromAda(['Sec-Fetch-Site: same-site', 'Origin: http://jobs.example']),
)
row('A POST whose Sec-Fetch-Site is unknown', 403, fromAda(['Sec-Fetch-Site: nonsense']))
row(
  'A login that another site sent',
  403,
  form('/login', `username=Ada&password=${encodeURIComponent(PASSWORD)}`, ['Origin: https://evil.example']),
)
row('A PUT to a page that has none', 405, { method: 'PUT', path: '/login' })
row('A method that no page has', 501, { method: 'PROPFIND', path: '/login' })
row('A method that HTTP does not know', 400, { method: 'NONSENSE', path: '/login' })
row('A request without a Host', 400, { raw: 'GET /me HTTP/1.1\r\nConnection: close\r\n\r\n' })
row('A Host with a path', 401, { raw: 'GET /me HTTP/1.1\r\nHost: a.example/x\r\nConnection: close\r\n\r\n' })
row('A Host with a broken address', 401, { raw: 'GET /me HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n' })
row('A Host with spaces', 401, { raw: 'GET /me HTTP/1.1\r\nHost: a b c\r\nConnection: close\r\n\r\n' })
row('A field name with a space', 400, { headers: ['Coo kie: sid=x'] })
row('A field without a colon', 400, { headers: ['nonsense'] })
row('An expectation that nobody meets', 417, { headers: ['Expect: miracles'] })
row('A length that is no number', 400, { method: 'POST', path: '/login', headers: ['Content-Length: many'] })
row('A negative length', 400, { method: 'POST', path: '/login', headers: ['Content-Length: -1'] })
row('A length and chunks at once', 400, {
  method: 'POST',
  path: '/login',
  headers: ['Content-Length: 3', 'Transfer-Encoding: chunked'],
})
row('A chunk whose size is no number', 400, {
  raw: 'POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
})
row('Text in place of a request', 400, { raw: 'hello\r\n\r\n' })

// Paths and queries.
row('A path that is not there', 404, { path: '/nowhere' })
row('A path with a broken escape', 404, { path: '/%' })
row('A path with bytes that are no UTF-8', 404, { path: '/%ff%fe' })
row('A path that climbs', 404, { path: '/../../etc/passwd' })
row('A path with NUL', 404, { path: '/me%00' })
row('A path of two slashes', 404, { path: '//evil.example/me' })
row('A whole address in place of a path', 401, { path: 'http://evil.example/me' })
row('A query with names that every object has', 401, { path: '/me?__proto__=x&constructor=y' })
row('A query with a broken escape', 401, { path: '/feed?a=%' })
row('A path beyond what Node reads', 431, { path: `/${'a'.repeat(70_000)}` })
for (const next of [
  '//evil.example',
  '/\\evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  '/%09/evil.example\t',
  '%',
]) {
  row(
    `A login page with the next address ${JSON.stringify(next)} stays here`,
    200,
    { path: `/login?next=${encodeURIComponent(next)}` },
    /^next: \/(?![/\\])/,
  )
}
row(
  'A login page with two next addresses stays here',
  200,
  { path: '/login?next=/a&next=//evil.example' },
  /^next: \/$/,
)

// Form fields and JSON bodies of the login.
const credentials: Record<string, [number, Sent]> = {
  'without a body': [400, { method: 'POST', path: '/login', headers: ['Content-Length: 0'] }],
  'of an empty form': [400, form('/login', '')],
  'without a password': [400, form('/login', 'username=Ada')],
  'without a name': [400, form('/login', 'password=x')],
  'with fields of other names': [400, form('/login', 'user=Ada&pass=x')],
  'with an empty name': [401, form('/login', 'username=&password=x')],
  'with an empty password': [401, form('/login', 'username=Ada&password=')],
  'with a wrong password': [401, form('/login', 'username=Ada&password=wrong')],
  'with two names': [400, form('/login', 'username=Ada&username=Bob&password=x')],
  'with a list of passwords': [400, form('/login', 'username=Ada&password[]=a&password[]=b')],
  'with an object as the name': [400, form('/login', 'username[$ne]=x&password[$ne]=y')],
  'with __proto__ as a field': [400, form('/login', '__proto__[username]=Ada&__proto__[password]=x')],
  'with a broken escape': [401, form('/login', 'username=%zz&password=%')],
  'with bytes that are no UTF-8': [
    401,
    form('/login', Buffer.from([...Buffer.from('username=Ada&password='), 0xff, 0xfe])),
  ],
  'with NUL in the name': [401, form('/login', 'username=Ada%00&password=x')],
  'with control characters in the name': [401, form('/login', 'username=Ada%0d%0aSet-Cookie:+sid=x&password=x')],
  'with SQL as the name': [401, form('/login', "username=Ada'+or+1=1+--&password=x")],
  'with markup as the name': [401, form('/login', 'username=%3Cscript%3E&password=x')],
  'with a name of 10,000 characters': [401, form('/login', `username=${'a'.repeat(10_000)}&password=x`)],
  'with a password of 5,000 bytes': [401, form('/login', `username=Ada&password=${'x'.repeat(5_000)}`)],
  'with a form of 200,000 characters': [413, form('/login', `username=${'a'.repeat(200_000)}&password=x`)],
  'with 5,000 fields': [400, form('/login', `${'a=b&'.repeat(5_000)}username=Ada&password=x`)],
  'with fields nested 500 deep': [400, form('/login', `username${'[a]'.repeat(500)}=x&password=y`)],
  'with a body of another type': [
    400,
    { ...form('/login', 'username=Ada&password=x'), headers: ['Content-Type: text/plain'] },
  ],
  'with a body without a type': [400, { ...form('/login', 'username=Ada&password=x'), headers: [] }],
  'with a type that is none': [400, { ...form('/login', 'username=Ada&password=x'), headers: ['Content-Type: /;;'] }],
  'with parts': [
    400,
    { ...form('/login', '--x\r\n\r\n--x--'), headers: ['Content-Type: multipart/form-data; boundary=x'] },
  ],
  'with an unknown encoding': [415, form('/login', 'username=Ada&password=x', ['Content-Encoding: nonsense'])],
  'that is said to be packed and is not': [400, form('/login', 'username=Ada&password=x', ['Content-Encoding: gzip'])],
  'that unpacks to too much': [
    413,
    form('/login', gzipSync(`username=${'a'.repeat(5_000_000)}`), ['Content-Encoding: gzip']),
  ],
  'of JSON that breaks off': [400, json('/login', '{"username":"Ada","password":')],
  'of JSON with a comma too many': [400, json('/login', '{"username":"Ada",}')],
  'of JSON that is text': [400, json('/login', '"Ada"')],
  'of JSON that is null': [400, json('/login', 'null')],
  'of JSON that is a list': [400, json('/login', '["Ada","x"]')],
  'of JSON with numbers': [400, json('/login', { username: 1, password: 2 })],
  'of JSON with true': [400, json('/login', { username: 'Ada', password: true })],
  'of JSON with null': [400, json('/login', { username: 'Ada', password: null })],
  'of JSON with a list': [400, json('/login', { username: ['Ada'], password: ['x'] })],
  'of JSON with an object': [400, json('/login', { username: { $gt: '' }, password: { $gt: '' } })],
  'of JSON with __proto__': [400, json('/login', '{"__proto__":{"username":"Ada","password":"x"}}')],
  'of JSON with half of a surrogate pair': [401, json('/login', '{"username":"\\ud800","password":"\\udfff"}')],
  'of JSON with a zero byte': [401, json('/login', '{"username":"Ada\\u0000","password":"x"}')],
  'of JSON nested 10,000 deep': [
    400,
    json('/login', `{"username":${'['.repeat(10_000)}${']'.repeat(10_000)},"password":"x"}`),
  ],
  'of JSON of 2 MB': [413, json('/login', { username: 'Ada', password: 'x'.repeat(2_000_000) })],
  'of JSON in UTF-16': [400, { ...json('/login', Buffer.from('{"username":"Ada"}', 'utf16le').toString('latin1')) }],
}
for (const [what, [status, sent]] of Object.entries(credentials)) row(`A login ${what}`, status, sent)

// Fields of other forms: the page says what to fix.
const notes: Record<string, string> = {
  missing: '',
  empty: 'note=',
  'too long': `note=${'x'.repeat(101)}`,
  'a list': 'note=a&note=b',
  'an object': 'note[toJSON]=a',
}
for (const [what, body] of Object.entries(notes))
  row(`A note that is ${what}`, 422, fromAda([], body), /1 to 100 characters/)
row('A note of somebody who is not logged in', 401, form('/note', 'note=hello'), /log in/)
row('An opening of somebody who is not logged in', 401, json('/openings', {}))

const accounts: Record<string, [number, unknown, RegExp]> = {
  'without fields': [422, {}, /\w/],
  'without a name': [422, { password: 'a long enough pw' }, /\w/],
  'with an empty name': [422, { username: '', password: 'a long enough pw' }, /\w/],
  'with a name that is taken': [409, { username: 'Ada', password: 'a long enough pw' }, /name is taken/],
  'with a name that is taken in another case': [
    409,
    { username: 'aDA', password: 'a long enough pw' },
    /name is taken/,
  ],
  'with a name that is taken in another width': [
    409,
    { username: 'Ａｄａ', password: 'a long enough pw' },
    /name is taken/,
  ],
  'with an e-mail address that is taken': [
    409,
    { username: 'Bob', email: 'ADA@example.org', password: 'a long enough pw' },
    /address is taken/,
  ],
  'with a name of control characters': [422, { username: 'a\u0000b', password: 'a long enough pw' }, /\w/],
  'with a name of 1,000 characters': [422, { username: 'a'.repeat(1000), password: 'a long enough pw' }, /\w/],
  'with half of a surrogate pair': [422, '{"username":"\\ud800","password":"a long enough pw"}', /\w/],
  'with an e-mail address that is none': [422, { username: 'Bob', email: 'bob', password: 'a long enough pw' }, /\w/],
  'with a password of 5,000 bytes': [422, { username: 'Bob', password: 'x'.repeat(5_000) }, /\w/],
  'with a password of 14 characters': [422, { username: 'Bob', password: 'too short a pw' }, /15 characters/],
  'with a common password, twice': [422, { username: 'Bob', password: 'PasswordPassword' }, /\w/],
  'with a name that is a list': [422, { username: ['Bob'], password: 'a long enough pw' }, /\w/],
  'with a password that is an object': [422, { username: 'Bob', password: { a: 1 } }, /\w/],
}
for (const [what, [status, body, says]] of Object.entries(accounts)) {
  row(`A new account ${what}`, status, json('/accounts', body), says)
}

test('There are at least 120 rows', t => {
  t.true(rows >= 120, String(rows))
})

test('What is right is answered and stored, so the rows can fail', async t => {
  const { port, hidden, dump, ada, stale, close } = await startSite()
  t.teardown(close)
  const changes: [Sent, number][] = [
    [json('/login', { username: 'Ada', password: PASSWORD }), 302],
    [form('/note', 'note=hello', [`Cookie: ${ada}`, 'Origin: http://jobs.example']), 200],
    [form('/note', 'note=hello again', [`Cookie: ${ada}`, 'Sec-Fetch-Site: same-origin']), 200],
    [form('/note', 'note=partner', [`Cookie: ${ada}`, 'Origin: https://partner.example']), 200],
    [json('/openings', {}, [`Cookie: ${ada}`]), 200],
    [json('/accounts', { username: 'Bob', password: 'a long enough pw' }), 201],
    [{ path: '/feed', headers: [`Cookie: ${ada}`] }, 200],
  ]
  for (const [sent, status] of changes) {
    const before = await dump()
    t.is((await send(port, sent)).status, status)
    t.notDeepEqual(await dump(), before)
  }
  for (const headers of [[`Cookie: ${ada}`], [`Cookie: ${stale.valid}`], [`Cookie: a=b; ${ada} ; c=d`]]) {
    t.is((await send(port, { headers })).status, 200)
  }
  const poll = await send(port, { path: '/feed', headers: [`Authorization: ${basic('ada@example.org', PASSWORD)}`] })
  t.is(poll.body, 'Ada')
  t.deepEqual(hidden, [])
})
