import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { demoAccounts, partnerPeople } from './seed.ts'
import { startBoard, type TestBoard, Visitor } from './test-board.ts'

const { marta, elektra, ines, robin } = demoAccounts
const people = { marta, elektra, ines, robin, noor: partnerPeople[0]! }

let board: TestBoard
const visitors = new Map<string, Visitor>()
const ends: (() => unknown)[] = []

test.before(async () => {
  board = await startBoard(end => ends.push(end))
  for (const [name, person] of Object.entries(people)) visitors.set(name, await Visitor.loggedIn(board, person))
  visitors.set('nobody', new Visitor(board))
  await board.tokens.create((await board.users.find({ username: marta.username }))!, { name: 'Reader' })
})
test.after.always(async () => {
  for (const end of ends.reverse()) await end()
})

type Person = keyof typeof people | 'nobody'
type Body = string | Uint8Array<ArrayBuffer> | ReadableStream
interface Bad {
  readonly as?: Person
  readonly method?: string
  readonly path?: string
  readonly body?: Body
  readonly type?: string
  readonly headers?: Record<string, string>
  readonly status: number
  /** What the page says. */
  readonly says?: RegExp
}

const FORM = 'application/x-www-form-urlencoded'
const GOOD = 'title=T&place=P&salary=&description=D'
const replaced = (name: string, value: string) => GOOD.replace(new RegExp(`${name}=[^&]*`), `${name}=${value}`)
const stream = (size: number) =>
  new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(size).fill(97))
      controller.close()
    },
  })

const shapes: Record<string, Bad> = {
  'JSON in the place of a form': { type: 'application/json', body: '{"title":"T"}', status: 415 },
  'plain text in the place of a form': { type: 'text/plain', body: GOOD, status: 415 },
  XML: { type: 'application/xml', body: '<title>T</title>', status: 415 },
  'a form with parts': {
    type: 'multipart/form-data; boundary=x',
    body: '--x\r\ncontent-disposition: form-data; name="title"\r\n\r\nT\r\n--x--\r\n',
    status: 415,
  },
  'a body of no type': { type: '', body: new TextEncoder().encode(GOOD), status: 415 },
  'a type that is none': { type: ';;;', body: GOOD, status: 415 },
  'a form in Latin-1': { type: `${FORM}; charset=iso-8859-1`, body: GOOD, status: 415 },
  'a form in UTF-16': { type: `${FORM}; charset=utf-16le`, body: Buffer.from(GOOD, 'utf16le'), status: 415 },
  'a compressed form': { body: gzipSync(GOOD), headers: { 'content-encoding': 'gzip' }, status: 415 },
  'a form that is too large': { body: `title=${'a'.repeat(200_000)}`, status: 413 },
  'a form of unknown length that is too large': { body: stream(200_000), status: 413 },
  'a percent sign with no number': { body: replaced('title', '%zz'), status: 400 },
  'a percent sign at the end': { body: `${GOOD}%`, status: 400 },
  'bytes that are no UTF-8, escaped': { body: replaced('title', '%ff%fe'), status: 400 },
  'bytes that are no UTF-8': { body: Uint8Array.from([...Buffer.from(GOOD), 0xc3, 0x28]), status: 400 },
  'half a surrogate pair': { body: replaced('title', '%ED%A0%80'), status: 400 },
  'an overlong encoding': { body: replaced('title', '%C0%AF'), status: 400 },
  'a field that comes twice': { body: `${GOOD}&title=U`, status: 400, says: /more than once/ },
  'a name that is no UTF-8': { body: `${GOOD}&%80=1`, status: 400 },
  'nothing at all': { body: '', status: 422 },
  'ampersands alone': { body: '&&&&', status: 422 },
  'a name alone': { body: 'title', status: 422 },
}

const fields: Record<string, Bad> = {
  'a missing title': { body: 'place=P&salary=&description=D', status: 422, says: /Write what the work is/ },
  'a list of titles': { body: GOOD.replace('title=', 'title[]='), status: 422 },
  'an object for a title': { body: GOOD.replace('title=', 'title[a]='), status: 422 },
  'fields called __proto__ and constructor': { body: '__proto__=1&constructor=2&toString=3', status: 422 },
  'an empty title': { body: replaced('title', ''), status: 422 },
  'a title of spaces': { body: replaced('title', '+%20%C2%A0%E3%80%80'), status: 422 },
  'a title that nobody can see': { body: replaced('title', '%E2%80%8B%E2%81%A0%EF%BB%BF'), status: 422 },
  'a title of 121 characters': { body: replaced('title', 'a'.repeat(121)), status: 422, says: /121 characters/ },
  'a title with a NUL': { body: replaced('title', 'a%00b'), status: 422, says: /cannot be shown/ },
  'a title with an escape character': { body: replaced('title', 'a%1Bb'), status: 422 },
  'a title of two lines': { body: replaced('title', 'a%0D%0Ab'), status: 422 },
  'a title with a noncharacter': { body: replaced('title', 'a%EF%BF%BEb'), status: 422 },
  'a description with a backspace': { body: replaced('description', 'a%08b'), status: 422 },
  'a description of 5,001 characters': { body: replaced('description', 'é'.repeat(5001)), status: 422, says: /5,001/ },
  'a salary that nobody can see': { body: replaced('salary', '%E2%80%8B'), status: 422 },
}

const noIds = '0 -1 1.5 1e3 0x1 abc 01 +1 １ 1%20 %00 1%00 null 99999999999999999999 9007199254740993'.split(' ')
const ids: Record<string, Bad> = Object.fromEntries(
  [...noIds, '999', '1%2F2', '..%2F1', "1'--", 'a'.repeat(2000)].flatMap(id => {
    const name = id.slice(0, 40)
    return [
      [`a page of the opening ${name}`, { as: 'ines', method: 'GET', path: `/openings/${id}`, status: 404 }],
      [
        `an application to the opening ${name}`,
        { as: 'ines', path: `/openings/${id}/applications`, body: 'letter=L', status: 404 },
      ],
      [`a change of the opening ${name}`, { path: `/company/openings/${id}/edit`, body: GOOD, status: 404 }],
    ] satisfies [string, Bad][]
  }),
)

const rights: Record<string, Bad> = {
  'a stranger who posts an opening': { as: 'nobody', body: GOOD, status: 401 },
  'a stranger who applies': { as: 'nobody', path: '/openings/1/applications', body: 'letter=L', status: 401 },
  'a stranger who ends sessions': { as: 'nobody', path: '/account/sessions/end-all', body: '', status: 401 },
  'a stranger who makes a token': { as: 'nobody', path: '/feeds/tokens', body: 'name=a&scope=all', status: 401 },
  'a stranger who ends tokens': { as: 'nobody', path: '/feeds/tokens/end-all', body: '', status: 401 },
  'somebody without feeds who makes a token': {
    as: 'robin',
    path: '/feeds/tokens',
    body: 'name=a&scope=all',
    status: 403,
    says: /Set up your profile/,
  },
  "another person's token, ended": { as: 'ines', path: '/feeds/tokens/end', body: 'token=1', status: 404 },
  'a token for another site': {
    path: '/feeds/tokens',
    body: 'name=a&scope=all',
    headers: { origin: 'https://evil.example' },
    status: 403,
  },
  'an employee who posts an opening': { as: 'ines', body: GOOD, status: 403 },
  'a partner who posts an opening': { as: 'noor', body: GOOD, status: 403 },
  'somebody without a profile who posts an opening': {
    as: 'robin',
    body: GOOD,
    status: 403,
    says: /Set up your profile/,
  },
  'an employer who applies': { path: '/openings/2/applications', body: 'letter=L', status: 403 },
  'a partner who applies': { as: 'noor', path: '/openings/2/applications', body: 'letter=L', status: 403 },
  'an employee who recommends': {
    as: 'ines',
    path: '/openings/2/recommendations',
    body: 'candidate=C&note=N',
    status: 403,
  },
  "another employer's opening, read": { as: 'elektra', method: 'GET', path: '/company/openings/1', status: 404 },
  "another employer's opening, to edit": {
    as: 'elektra',
    method: 'GET',
    path: '/company/openings/1/edit',
    status: 404,
  },
  "another employer's opening, edited": { as: 'elektra', path: '/company/openings/1/edit', body: GOOD, status: 404 },
  "another employer's opening, closed": { as: 'elektra', path: '/company/openings/1/close', body: '', status: 404 },
  "another employer's opening, reopened": { as: 'elektra', path: '/company/openings/3/reopen', body: '', status: 404 },
  'a kind of profile that is not for everybody': {
    as: 'robin',
    path: '/welcome/partner',
    body: 'agency=A&region=R',
    status: 404,
  },
  'a kind of profile that there is not': { as: 'robin', path: '/welcome/__proto__', body: 'a=b', status: 404 },
  'a session that there is not': { path: '/account/sessions/end', body: 'session=abc', status: 404 },
  'no session to end': { path: '/account/sessions/end', body: '', status: 404 },
  'a POST from another site, by its Origin': { body: GOOD, headers: { origin: 'https://evil.example' }, status: 403 },
  'a POST from nowhere': { body: GOOD, headers: { origin: 'null' }, status: 403 },
  'a POST from another site, as the browser says': {
    body: GOOD,
    headers: { 'sec-fetch-site': 'cross-site' },
    status: 403,
  },
  'a POST from a sister site': { body: GOOD, headers: { 'sec-fetch-site': 'same-site' }, status: 403 },
  'a logout from another site': { path: '/logout', body: '', headers: { origin: 'https://evil.example' }, status: 403 },
}

const logins: Record<string, Bad> = Object.fromEntries(
  (
    [
      ['no fields', '', 422],
      ['no password', 'username=ines', 422],
      ['no name', 'password=x', 422],
      ['lists', 'username[]=ines&password[]=x', 422],
      ['a wrong password', 'username=ines&password=x', 401],
      ['nobody’s name', 'username=nobody&password=x', 401],
      ['a name with a NUL', 'username=ines%00&password=x', 401],
      ['a name of 90,000 characters', `username=${'a'.repeat(90_000)}&password=x`, 401],
      ['a password of 90,000 characters', `username=ines&password=${'a'.repeat(90_000)}`, 401],
      ['SQL', "username=' or 1=1 --&password=' or 1=1 --", 401],
      ['a password that is no text', 'username=ines&password=%ff', 400],
    ] as const
  ).map(([name, body, status]) => [`a login with ${name}`, { as: 'nobody', path: '/login', body, status }]),
)

const tokens: Record<string, Bad> = Object.fromEntries(
  (
    [
      ['no fields', '', 422, /2 fields need another look/],
      ['no name', 'scope=all', 422, /Write what it is for/],
      ['a name of spaces', 'name=+%C2%A0&scope=all', 422],
      ['a name that nobody can see', 'name=%E2%80%8B&scope=all', 422],
      ['a name of 101 characters', `name=${'é'.repeat(101)}&scope=all`, 422, /101 characters/],
      ['a name of two lines', 'name=a%0Ab&scope=all', 422, /cannot be shown/],
      ['a name with a NUL', 'name=a%00b&scope=all', 422],
      ['a list of names', 'name[]=a&scope=all', 422],
      ['a name that comes twice', 'name=a&name=b&scope=all', 400],
      ['half a surrogate pair', 'name=%ED%A0%80&scope=all', 400],
      ['no choice of feeds', 'name=a', 422, /Choose at least one of your feeds/],
      ['another choice of feeds', 'name=a&scope=none', 422],
      ['none of the feeds', 'name=a&scope=some', 422],
      ['a feed of somebody else', 'name=a&scope=some&feed-activity=yes', 422],
      ['a feed that there is not', 'name=a&scope=some&feed-__proto__=yes', 422],
    ] as const
  ).map(([name, body, status, says]) => [
    `a token with ${name}`,
    { path: '/feeds/tokens', body, status, ...(says && { says }) },
  ]),
)

const tokenIds: Record<string, Bad> = Object.fromEntries(
  ['', 'token=', ...noIds.map(id => `token=${id}`), "token=1'--", 'token=999', 'token[]=1'].map(body => [
    `the end of a token by “${body}”`,
    { path: '/feeds/tokens/end', body, status: 404 },
  ]),
)

const addresses: Record<string, Bad> = {
  'a page that there is not': { method: 'GET', path: '/nothing-here', status: 404 },
  'an address that is no UTF-8': { method: 'GET', path: '/openings/%E0%A4%A', status: 404 },
  'a feed of no format': { method: 'GET', path: '/feeds/openings.xml', status: 404 },
  'a stylesheet of another version': { method: 'GET', path: '/style.000000000000.css', status: 404 },
  'a logout by a link': { method: 'GET', path: '/logout', status: 405 },
  'an opening to PUT': { method: 'PUT', path: '/openings/1', body: GOOD, status: 405 },
  'an opening to DELETE': { method: 'DELETE', path: '/openings/1', status: 405 },
  'a list of tokens to PUT': { method: 'PUT', path: '/feeds/tokens', body: 'name=a&scope=all', status: 405 },
  'an end of tokens by a link': { method: 'GET', path: '/feeds/tokens/end-all', status: 405 },
  'a POST to a page': { path: '/staff', body: GOOD, status: 405 },
}

const everyBad = { ...shapes, ...fields, ...ids, ...rights, ...logins, ...tokens, ...tokenIds, ...addresses }
for (const [title, bad] of Object.entries(everyBad)) {
  test(`${title}: ${bad.status}, a page that says so, and nothing is changed`, async t => {
    const { as = 'marta', method = 'POST', path = '/company/openings', body, type = FORM, headers = {}, status } = bad
    const before = await everything()
    const visitor = new Visitor(board)
    visitor.cookie = visitors.get(as)!.cookie
    const response = await visitor.send(path, {
      method,
      headers: { ...(body !== undefined && type !== '' && { 'content-type': type }), ...headers },
      ...(body !== undefined && { body, duplex: 'half' as const }),
    })
    const page = await response.text()
    t.is(response.status, status, page)
    if (!/^\/feeds\/\w+\.\w+$/.test(path)) {
      t.is(response.headers.get('content-type'), 'text/html; charset=utf-8')
      t.regex(page, /<h1[^>]*>[^<]+<\/h1>/)
    }
    if (bad.says) t.regex(page, bad.says)
    t.regex(response.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    t.true((await everything()) === before)
    t.deepEqual(board.errors, [])
  })
}

test('a connection on which too much was sent takes the next request', async t => {
  const { hostname, port } = new URL(board.origin)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  const head = (first: string) => `${first} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n`
  const size = 300_000
  socket.write(
    `${head('POST /login')}Content-Type: ${FORM}\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
  )
  socket.write(`${'a'.repeat(size)}\r\n0\r\n\r\n${head('GET /login')}Connection: close\r\n\r\n`)
  const answers = await text(socket)
  t.deepEqual(answers.match(/^HTTP\/1\.1 \d+/gm), ['HTTP/1.1 413', 'HTTP/1.1 200'])
})

test('a `next` that leaves the site is not followed', async t => {
  for (const next of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    '/\t/evil',
  ]) {
    const visitor = new Visitor(board)
    const response = await visitor.post('/login', { username: ines.username, password: ines.password, next })
    t.deepEqual([response.status, response.headers.get('location')], [303, '/'], next)
  }
})

test('what is no page number shows the first page', async t => {
  const visitor = visitors.get('ines')!
  for (const query of ['page=0', 'page=-1', 'page=x', 'page=1&page=2', 'page[]=1', 'page=99999999', 'page='])
    t.regex(await visitor.page(`/openings?${query}`), /Letterpress printer/, query)
  t.regex(await visitor.page('/openings?page=2'), /There are no older openings/)
})

/** All that is stored, but for sessions and the moments of logins. */
async function everything(): Promise<string> {
  const tables = [
    'users',
    'employers',
    'employees',
    'partners',
    'openings',
    'applications',
    'recommendations',
    'activity',
    'feed_tokens',
  ]
  const rows = await Promise.all(tables.map(table => board.database(table)))
  return JSON.stringify(rows, (column, value) => (column === 'last_login' ? undefined : value))
}
