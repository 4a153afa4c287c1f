import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { type AuthenticatedUser, DetachedUser, type ProfileSource } from 'koa-strata'
import { type Employee, readEmployee } from './employee.ts'
import { Personnel } from './example.ts'
import { type HttpProfilesOptions, httpProfiles } from './http-profiles.ts'
import { ProfileServiceError } from './profile-service-error.ts'
import { answer, entries, type Reply, startTestService, TOKEN } from './test-service.ts'

/** In milliseconds: so long nothing takes on a busy machine either. */
const WIDE = 30_000

const ADA: Employee = { name: 'Ada Brightwell', department: 'Turbine hall', since: '2019-03-01', diet: 'vegetarian' }
const INES: Employee = { name: 'Inês Coração', department: 'Accounts', since: '2024-02-29', diet: 'any' }

function user(id: string): AuthenticatedUser {
  return new DetachedUser({ backend: 'works', id })
}

type Source = Required<ProfileSource<Employee>>

function employees(url: string, options: Partial<HttpProfilesOptions<Employee>> = {}): Source {
  return httpProfiles({ url, token: TOKEN, read: readEmployee, deadline: WIDE, ...options })
}

/** Both ways to look somebody up. */
const WAYS: Readonly<Record<string, (source: Source, ada: AuthenticatedUser) => Promise<unknown>>> = {
  find: (source, ada) => source.find(ada),
  findMany: async (source, ada) => (await source.findMany([ada, user('ines')]))[0],
}

const IDS = [
  'ada',
  'a/b c',
  '../../profiles/look-up',
  '..',
  '%2F%2e%2E%',
  'a?user=works:ines&user=x#y',
  'a+b;c,d',
  'نورة الحربي',
  '李小龍 🔑',
  'e\u0301 is not é',
  ' spaces ',
  'line\nbreak\r\n\ttab',
  '\0',
  '"quotes\\"',
  '__proto__',
  'é'.repeat(512),
  '\u0001'.repeat(1024),
  '🔑'.repeat(256),
]

test('Each user has their own profile, whatever their id, by one look-up and by a look-up of many.', async t => {
  const personnel = await Personnel.start(t)
  const source = employees(personnel.url, { token: personnel.token })
  const people = IDS.map(user)
  for (const [index, { key }] of people.entries()) await personnel.put(key, { ...ADA, department: `Room ${index}` })
  const found = await source.findMany(people)
  for (const [index, one] of people.entries()) {
    const expected = { ...ADA, department: `Room ${index}` }
    t.deepEqual(found[index], expected, one.id)
    t.deepEqual(await source.find(one), expected, one.id)
  }
})

test('Whom the service does not know has no profile, among others too, and whom it has forgotten neither.', async t => {
  const personnel = await Personnel.start(t)
  const source = employees(personnel.url, { token: personnel.token })
  const [ada, nobody] = [user('ada'), user('nobody')]
  await personnel.put(ada.key, ADA)
  t.is(await source.find(nobody), null)
  t.deepEqual(await source.findMany([nobody, ada, nobody, ada]), [null, ADA, null, ADA])
  t.deepEqual(await source.findMany([]), [])
  await personnel.remove(ada.key)
  t.is(await source.find(ada), null)
  t.deepEqual(await source.findMany([ada]), [null])
})

test('As many users as profiles() asks for at once are one request, with the longest ids too.', async t => {
  const personnel = await Personnel.start(t)
  const source = employees(personnel.url, { token: personnel.token })
  const people = Array.from({ length: 500 }, (_, index) => user(String(index).padStart(1024, '\u0001')))
  await personnel.put(people[0]!.key, ADA)
  await personnel.put(people[499]!.key, INES)
  const found = await source.findMany(people)
  t.deepEqual([found[0], found[1], found[498], found[499]], [ADA, null, null, INES])
})

test('The service answers nothing without its token, and a token that reads changes nothing.', async t => {
  const personnel = await Personnel.start(t)
  const { key } = user('ada')
  await personnel.put(key, ADA)
  for (const [name, look] of Object.entries(WAYS)) {
    const error = await t.throwsAsync(look(employees(personnel.url), user('ada')), undefined, name)
    t.is(error?.message, 'The profile service answered 401.')
  }
  for (const method of ['PUT', 'DELETE']) {
    const headers = { authorization: `Bearer ${personnel.token}` }
    t.is((await fetch(personnel.addressOf(key), { method, headers })).status, 403)
  }
  const headers = { authorization: `Bearer ${personnel.token}` }
  t.deepEqual(await (await fetch(personnel.addressOf(key), { headers })).json(), { user: key, profile: ADA })
})

test('A profile has the fields that were read, and no others.', async t => {
  const profile = { ...ADA, salary: 1, __proto__: { isAdmin: true }, toJSON: 'text' }
  const service = await startTestService(
    t,
    entries(user => ({ user, profile })),
  )
  for (const look of Object.values(WAYS)) t.deepEqual(await look(employees(service.url), user('ada')), ADA)
})

test('Look-ups that follow one another share a connection.', async t => {
  const service = await startTestService(
    t,
    entries(user => ({ user, profile: ADA })),
  )
  const source = employees(service.url)
  for (let count = 0; count < 20; count++) {
    await source.find(user('ada'))
    await source.findMany([user('ada'), user('ines')])
  }
  t.is(service.asked.length, 40)
  // The one that has just answered may not be free yet when the next request begins.
  t.true(service.connections <= 2, `${service.connections} connections`)
})

test('The address of the service may have a path.', async t => {
  const paths: string[] = []
  const reply = entries(user => ({ user, profile: null }))
  const service = await startTestService(t, (response, users, request) => {
    paths.push(request.url!)
    return reply(response, users, request)
  })
  for (const url of [`${service.url}api/v1`, `${service.url}api/v1/`]) {
    for (const look of Object.values(WAYS)) t.is(await look(employees(url), user('ada')), null)
  }
  const expected = ['/api/v1/profile?user=works%3Aada', '/api/v1/profiles/look-up']
  t.deepEqual(paths, [...expected, ...expected])
})

const withField = (name: string, value: unknown): Reply =>
  entries(user => ({ user, profile: { ...ADA, [name]: value } }))

/** Answers that are no profile and no "has none": what they are, the answer, and what the error says. */
const WRONG: [what: string, reply: Reply, problem: string][] = [
  ['500', answer({ user: 'works:ada', profile: null }, 500), 'answered 500'],
  ['401', answer('', 401), 'answered 401'],
  ['403', answer('', 403), 'answered 403'],
  ['429', answer('', 429), 'answered 429'],
  ['204', answer('', 204), 'answered 204'],
  ['206', answer('{}', 206), 'answered 206'],
  [
    'a redirect',
    response => response.writeHead(302, { location: 'http://127.0.0.1:9/elsewhere' }).end(),
    'answered 302',
  ],
  ['HTML', answer('<!doctype html><p>Ada Brightwell'), 'answered what is no JSON'],
  ['nothing', answer(''), 'answered what is no JSON'],
  ['half of it', answer('{"user":"works:ada","profile":{"name":"Ada'), 'answered what is no JSON'],
  ['what is no UTF-8', answer(Buffer.from('{"user":"works:\xe4da"}', 'latin1')), 'answered what is no JSON'],
  [
    'another profile',
    entries(() => ({ user: 'works:ines', profile: INES })),
    'answered with the profile of another user',
  ],
  [
    '"none" of another user',
    entries(() => ({ user: 'works:ines', profile: null })),
    'answered with the profile of another user',
  ],
  ['a profile of nobody', entries(() => ({ profile: ADA })), 'answered with the profile of another user'],
  ['a user without a profile', entries(user => ({ user })), 'answered a profile that is no object'],
  ['a profile that is false', entries(user => ({ user, profile: false })), 'answered a profile that is no object'],
  ['a profile that is text', entries(user => ({ user, profile: 'Ada' })), 'answered a profile that is no object'],
  ['a profile that is a list', entries(user => ({ user, profile: [ADA] })), 'answered a profile that is no object'],
  ['an empty profile', entries(user => ({ user, profile: {} })), "answered a profile whose 'name' is no line of text"],
  ['no name', withField('name', undefined), "answered a profile whose 'name' is no line of text"],
  ['a name that is empty', withField('name', ''), "answered a profile whose 'name' is no line of text"],
  ['a name that is a number', withField('name', 7), "answered a profile whose 'name' is no line of text"],
  ['a name of two lines', withField('name', 'Ada\nBrightwell'), "answered a profile whose 'name' is no line of text"],
  ['half a character', withField('name', 'Ada \ud83d'), "answered a profile whose 'name' is no line of text"],
  [
    'a name of 201 characters',
    withField('name', 'a'.repeat(201)),
    "answered a profile whose 'name' is no line of text",
  ],
  [
    'a department of a list',
    withField('department', ['A']),
    "answered a profile whose 'department' is no line of text",
  ],
  ['a time for a day', withField('since', '2019-03-01T00:00:00Z'), "answered a profile whose 'since' is no day"],
  ['a day that does not exist', withField('since', '2023-02-29'), "answered a profile whose 'since' is no day"],
  ['a day of the 13th month', withField('since', '2023-13-01'), "answered a profile whose 'since' is no day"],
  ['an unknown diet', withField('diet', 'keto'), "answered a profile whose 'diet' is none of any, vegetarian, vegan"],
  [
    'a diet that is missing',
    withField('diet', null),
    "answered a profile whose 'diet' is none of any, vegetarian, vegan",
  ],
]

for (const [name, look] of Object.entries(WAYS)) {
  for (const [what, reply, problem] of WRONG) {
    test(`L5: ${name}() that is answered with ${what} is an error, and never "no profile".`, async t => {
      const service = await startTestService(t, reply)
      const error = await t.throwsAsync(look(employees(service.url), user('ada')), { instanceOf: ProfileServiceError })
      t.is(error.message, `The profile service ${problem}.`)
      holdsNothing(t, error)
    })
  }
}

/** What must not reach a log: the token, whom it was about, and what was answered. */
function holdsNothing(t: ExecutionContext, error: unknown): void {
  t.notRegex(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }), /a-token|works:|Brightwell|Coração/)
}

test('L5: A 404 is "no profile" only where the service says so of this user.', async t => {
  const service = await startTestService(t, answer({ user: 'works:ada', profile: null }, 404))
  const source = employees(service.url)
  t.is(await source.find(user('ada')), null)
  const others = [answer('<h1>404 Not Found</h1>', 404), answer({ error: 'not found' }, 404), answer('', 404)]
  for (const reply of [...others, answer({ user: 'works:ines', profile: null }, 404)]) {
    service.reply = reply
    await t.throwsAsync(source.find(user('ada')), { instanceOf: ProfileServiceError })
  }
  service.reply = answer({ profiles: [{ user: 'works:ada', profile: null }] }, 404)
  await t.throwsAsync(source.findMany([user('ada')]), { message: 'The profile service answered 404.' })
})

const LISTS: [what: string, body: (users: string[]) => unknown][] = [
  ['a list by itself', users => users.map(user => ({ user, profile: null }))],
  ['an object by keys', users => ({ profiles: Object.fromEntries(users.map(user => [user, null])) })],
  ['null', () => null],
  ['one entry too few', users => ({ profiles: users.slice(1).map(user => ({ user, profile: null })) })],
  ['one entry too many', users => ({ profiles: [...users, 'x'].map(user => ({ user, profile: null })) })],
  ['nothing', () => ({ profiles: [] })],
  ['entries that are null', users => ({ profiles: users.map(() => null) })],
  ['entries in another order', users => ({ profiles: users.toReversed().map(user => ({ user, profile: ADA })) })],
  ['one profile twice', users => ({ profiles: users.map(() => ({ user: users[0], profile: ADA })) })],
]

for (const [what, body] of LISTS) {
  test(`L5: findMany() that is answered with ${what} is an error, and nobody gets another's profile.`, async t => {
    const service = await startTestService(t, (response, users, request) =>
      answer(body(users))(response, users, request),
    )
    const error = await t.throwsAsync(employees(service.url).findMany([user('ada'), user('ines')]), {
      instanceOf: ProfileServiceError,
    })
    holdsNothing(t, error)
  })
}

test('More than an answer may have is not read to its end.', async t => {
  let sent = 0
  const service = await startTestService(t, response => {
    const endless = function* () {
      for (;;) {
        sent += 65_536
        yield Buffer.alloc(65_536, ' ')
      }
    }
    return pipeline(endless(), response).catch(() => {})
  })
  const source = employees(service.url)
  const limits = { find: 16_384, findMany: 49_152 }
  for (const [name, look] of Object.entries(WAYS)) {
    const { message } = (await t.throwsAsync(look(source, user('ada')), { instanceOf: ProfileServiceError }))!
    t.is(message, `The profile service answered more than ${limits[name as keyof typeof limits]} bytes.`)
  }
  while ((await service.open()) > 0) await new Promise(setImmediate)
  t.true(sent < 64 * 2 ** 20, `${sent} bytes were sent`)
})

const BEGINNINGS: [what: string, reply: Reply][] = [
  ['nothing', () => {}],
  ['half an answer', response => response.writeHead(200).write('{"user":')],
]

for (const [what, reply] of BEGINNINGS) {
  test.serial(`A request that is answered with ${what} is given up at the deadline, with its connection.`, async t => {
    const service = await startTestService(t, reply)
    const source = employees(service.url, { deadline: 1000 })
    for (const look of Object.values(WAYS)) {
      const began = performance.now()
      const error = await t.throwsAsync(look(source, user('ada')), { instanceOf: ProfileServiceError })
      const took = performance.now() - began
      t.is(error.message, 'The profile service did not answer within 1000 ms.')
      t.true(took > 900 && took < 20_000, `${took} ms`)
      holdsNothing(t, error)
      while ((await service.open()) > 0) await new Promise(setImmediate)
    }
    t.is(service.asked.length, 2)
    service.reply = entries(user => ({ user, profile: ADA }))
    t.deepEqual(await employees(service.url).find(user('ada')), ADA)
  })
}

/** What a server may say that is no HTTP, or not all of it: then it closes the connection. */
const BYTES: [what: string, bytes: string][] = [
  ['nothing', ''],
  ['what is no HTTP', 'Ada Brightwell\r\n\r\n'],
  ['half a head', 'HTTP/1.1 200 OK\r\nContent-'],
  ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"user":"works:ada","profile":null}'],
  [
    'half a body in chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n23\r\n{"user":"works:ada","profile":null}\r\n',
  ],
]

for (const [what, bytes] of BYTES) {
  test(`L5: A server that sends ${what} and hangs up is an error, and never "no profile".`, async t => {
    const server = net.createServer(socket => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(bytes))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const source = employees(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    for (const look of Object.values(WAYS)) {
      const error = await t.throwsAsync(look(source, user('ada')), { instanceOf: ProfileServiceError })
      t.regex(error.message, /^The profile service could not be asked: \w+\.$/)
      holdsNothing(t, error)
    }
  })
}

test('L5: A service that is not there is an error that says why.', async t => {
  const source = employees('http://127.0.0.1:9/')
  for (const look of Object.values(WAYS))
    await t.throwsAsync(look(source, user('ada')), { instanceOf: ProfileServiceError })
  const personnel = await Personnel.start(t)
  await personnel.server.kill()
  for (const look of Object.values(WAYS)) {
    await t.throwsAsync(look(employees(personnel.url), user('ada')), {
      message: 'The profile service could not be asked: ECONNREFUSED.',
    })
  }
})

test('What read() throws of its own accord is passed on.', async t => {
  const service = await startTestService(
    t,
    entries(user => ({ user, profile: ADA })),
  )
  const read = () => {
    throw new RangeError('a mistake')
  }
  for (const look of Object.values(WAYS)) {
    await t.throwsAsync(look(employees(service.url, { read }), user('ada')), { instanceOf: RangeError })
  }
})

const OPTIONS: [what: string, options: Partial<HttpProfilesOptions<Employee>>, name: string][] = [
  ['no address', { url: 'personnel' }, 'url'],
  ['plain http elsewhere', { url: 'http://personnel.example.org/' }, 'url'],
  ['a host that begins as the loopback', { url: 'http://127.0.0.1.example.org/' }, 'url'],
  ['another scheme', { url: 'ftp://127.0.0.1/' }, 'url'],
  ['credentials in the address', { url: 'https://a-token:pw@personnel.example.org/' }, 'url'],
  ['a query', { url: 'https://personnel.example.org/?key=a-token' }, 'url'],
  ['a token of two lines', { token: 'a-token\r\nx: y' }, 'token'],
  ['an empty token', { token: '' }, 'token'],
  ['a token with its scheme', { token: 'Bearer a-token' }, 'token'],
  ['a deadline of 0', { deadline: 0 }, 'deadline'],
  ['a deadline of half a millisecond', { deadline: 0.5 }, 'deadline'],
]

for (const [what, options, name] of OPTIONS) {
  test(`httpProfiles() with ${what} is an error that names '${name}' and quotes nothing.`, t => {
    const error = t.throws(() => employees('https://personnel.example.org/', options), { instanceOf: TypeError })
    t.regex(error.message, new RegExp(`^httpProfiles\\(\\): '${name}' must be `))
    holdsNothing(t, error)
  })
}
