import { inspect } from 'node:util'
import test from 'ava'
import { AccessDenied, OptionInvalid, PasswordsBusy, type TooManyAttempts, type UsersOptions, users } from 'koa-strata'
import { heard } from '../../heard.ts'
import { handedClock } from '../../sessions/stores/setups.ts'
import { directory, userOf } from '../app.ts'
import { atOnce, ELSEWHERE, HOME, inTurn, slowDirectory, startLimitedApp, statuses } from './app.ts'

const MINUTE = 60_000
const people = () => slowDirectory({ alice: {}, bob: {}, mallory: {} })

test('L4: After ten wrong passwords the eleventh is answered with 429, whatever it is, and no backend is asked.', async t => {
  const backend = people()
  const { logIn } = await startLimitedApp(t, { backends: [backend] })
  t.deepEqual(statuses(await inTurn(10, index => logIn('alice', `wrong ${index}`))), { 401: 10 })
  const wrong = await logIn('alice', 'wrong 10')
  const right = await logIn('alice', 'pw')
  for (const answer of [wrong, right]) {
    t.is(answer.status, 429)
    t.is(answer.text, 'Too many logins have failed. Please try again later.')
    t.is(answer.headers['retry-after'], '90')
    t.deepEqual(answer.setCookies, [])
  }
  t.is(backend.asked.length, 10)
})

test('L4: Retry-After is right: a second before it the answer is 429, then the login is looked at.', async t => {
  const backend = people()
  const { now, advance } = handedClock()
  const { logIn } = await startLimitedApp(t, {
    backends: [backend],
    throttle: { now, perClient: { failures: 3, within: 10 * MINUTE } },
  })
  await inTurn(3, index => logIn('alice', `wrong ${index}`))
  advance(400)
  const retryAfter = Number((await logIn('alice', 'pw')).headers['retry-after'])
  t.is(retryAfter, 200)
  advance((retryAfter - 1) * 1000)
  t.is((await logIn('alice', 'pw')).headers['retry-after'], '1')
  advance(1000)
  t.is((await logIn('alice', 'pw')).status, 200)
})

test('L4: Form and Basic share the limits: who has failed at one gets 429 from the other.', async t => {
  for (const [first, second] of [
    ['logIn', 'poll'],
    ['poll', 'logIn'],
  ] as const) {
    const backend = people()
    const app = await startLimitedApp(t, { backends: [backend] })
    t.deepEqual(statuses(await inTurn(10, index => app[first]('alice', `wrong ${index}`))), { 401: 10 })
    const answer = await app[second]('alice', 'pw')
    t.is(answer.status, 429)
    t.is(answer.headers['retry-after'], '90')
    t.is(backend.asked.length, 10)
  }
})

test('L4: The page of a login may catch it, and say when to try again.', async t => {
  const { browser, logIn } = await startLimitedApp(t, {
    backends: [people()],
    throttle: { perClient: { failures: 1, within: MINUTE } },
    handlers: {
      '/form': async ctx => {
        try {
          return (await ctx.authenticate({ username: 'alice', password: 'wrong' }))?.key ?? 'wrong'
        } catch (error) {
          const { code, status, retryAfter } = error as TooManyAttempts
          return { code, status, retryAfter }
        }
      },
    },
  })
  await logIn('alice', 'another')
  const { json } = await browser().get('/form', { 'x-forwarded-for': HOME })
  t.deepEqual(json, { code: 'TOO_MANY_ATTEMPTS', status: 429, retryAfter: 60 })
})

test.serial('L4: An event tells of each login that was not looked at, and under which limit.', async t => {
  const once = { failures: 1, within: MINUTE }
  const limits = { perClient: once, perAccount: once, perNetwork: once }
  for (const limit of ['client', 'account', 'network'] as const) {
    const option = { client: 'perClient', account: 'perAccount', network: 'perNetwork' }[limit]
    const { logIn } = await startLimitedApp(t, {
      backends: [people()],
      throttle: { [option]: limits[option as keyof typeof limits] },
    })
    await logIn('alice', 'wrong')
    const messages = heard(t, 'koa-strata:throttled')
    const failures = heard(t, 'koa-strata:login-failed')
    const [name, from] = { client: ['alice', HOME], account: ['alice', ELSEWHERE], network: ['bob', HOME] }[limit]
    t.is((await logIn(name!, 'other', from)).status, 429)
    t.deepEqual([...messages], [{ limit, ip: from }])
    t.deepEqual(failures, [])
  }
})

test('L4: Names that nobody has are limited like those that somebody has, so that 429 tells nothing of them.', async t => {
  const { logIn } = await startLimitedApp(t, { backends: [people()] })
  const known = await inTurn(15, index => logIn('alice', `wrong ${index}`))
  const unknown = await inTurn(15, index => logIn('nobody', `wrong ${index}`))
  t.deepEqual(
    unknown.map(({ status, text, headers }) => [status, text, headers['retry-after']]),
    known.map(({ status, text, headers }) => [status, text, headers['retry-after']]),
  )
})

test('L4: Another spelling of a name is no other account.', async t => {
  const backend = people()
  const { logIn } = await startLimitedApp(t, { backends: [backend] })
  const spellings = [
    'alice',
    'ALICE',
    'ａｌｉｃｅ',
    ' alice',
    'alice ',
    'al\u200bice',
    'àlice',
    'AlIcE',
    'alıce',
    'ALICE ',
  ]
  await inTurn(10, index => logIn(spellings[index]!, `wrong ${index}`))
  t.is((await logIn('Alice', 'wrong')).status, 429)
})

test('L4: A login that succeeds is forgotten, with what the same client failed before.', async t => {
  const { logIn } = await startLimitedApp(t, { backends: [people()] })
  for (let round = 0; round < 5; round++) {
    t.deepEqual(statuses(await inTurn(9, index => logIn('alice', `wrong ${round} ${index}`))), { 401: 9 })
    t.is((await logIn('alice', 'pw')).status, 200)
  }
})

test('L4: Who logs in to an account of their own between two guesses gets no more of them.', async t => {
  const backend = people()
  const { logIn } = await startLimitedApp(t, { backends: [backend] })
  const answers = await inTurn(200, async index => {
    t.is((await logIn('mallory', 'pw')).status, 200)
    return logIn(`victim ${index}`, 'spring 2026')
  })
  t.deepEqual(statuses(answers), { 401: 100, 429: 100 })
})

test('L4: Where credentials have no name, the network is limited.', async t => {
  const backend = directory(
    'local',
    {},
    { authenticate: async ({ token }) => (token === 't' ? userOf('local', 'x') : null) },
  )
  const { browser } = await startLimitedApp(t, {
    backends: [backend],
    throttle: { perNetwork: { failures: 5, within: MINUTE } },
    handlers: { '/token': async ctx => (await ctx.authenticate({ token: String(ctx.query.t) }))?.key ?? 'nobody' },
  })
  const show = (token: string | number, from = HOME) => browser().get(`/token?t=${token}`, { 'x-forwarded-for': from })
  t.deepEqual(statuses(await inTurn(3, () => show('t'))), { 200: 3 })
  t.deepEqual(statuses(await inTurn(8, show)), { 200: 5, 429: 3 })
  t.is((await show('t')).status, 429)
  t.is((await show('t', ELSEWHERE)).text, 'local:x')
})

test('L4: The 64 bits of an IPv6 subscriber are one network.', async t => {
  const { logIn } = await startLimitedApp(t, { backends: [people()] })
  await inTurn(10, index => logIn('alice', `wrong ${index}`, `2001:db8:1:2::${index}`))
  t.is((await logIn('alice', 'pw', '2001:db8:1:2:aaaa::1')).status, 429)
  t.is((await logIn('alice', 'pw', '2001:db8:1:3::1')).status, 200)
})

for (const [what, authenticate, status] of [
  ['refused by a backend', () => Promise.reject(new AccessDenied()), 401],
  ['not active', async () => userOf('local', 'alice', { isActive: false }), 401],
] as const) {
  test(`L4: A login that is ${what} counts as failed.`, async t => {
    const { logIn } = await startLimitedApp(t, { backends: [directory('local', {}, { authenticate })] })
    const answers = await inTurn(11, index => logIn('alice', `wrong ${index}`))
    t.deepEqual(statuses(answers), { [status]: 10, 429: 1 })
  })
}

for (const [what, error, text] of [
  ['that is broken', new Error('down'), 'Accounts are unavailable at the moment. Please try again shortly.'],
  ['that is busy', new PasswordsBusy(), 'Too many people are logging in at this moment. Please try again shortly.'],
] as const) {
  test(`L4: A login that failed by a backend ${what} is 503, and does not count.`, async t => {
    let works = false
    const backend = directory('local', { alice: {} })
    const find = backend.authenticate!
    backend.authenticate = (...given) => (works ? find(...given) : Promise.reject(error))
    const { logIn } = await startLimitedApp(t, { backends: [backend] })
    const answers = [
      ...(await inTurn(60, index => logIn('alice', `pw ${index}`))),
      ...(await atOnce(60, () => logIn('alice', 'pw'))),
    ]
    t.deepEqual(statuses(answers), { 503: 120 })
    t.is(answers[0]!.text, text)
    works = true
    t.deepEqual(statuses(await inTurn(11, index => logIn('alice', `wrong ${index}`))), { 401: 10, 429: 1 })
  })
}

test('L4: Credentials that reach no backend do not count.', async t => {
  const backend = people()
  const { logIn } = await startLimitedApp(t, { backends: [backend] })
  t.deepEqual(statuses(await inTurn(150, () => logIn('alice', ''))), { 401: 150 })
  t.is((await logIn('alice', 'pw')).status, 200)
})

test('L4: The same wrong password again and again counts once for the client, and for the network apart from others.', async t => {
  const backend = people()
  const { poll, logIn } = await startLimitedApp(t, { backends: [backend] })
  const answers = await inTurn(300, () => poll('alice', 'stale'))
  t.deepEqual(statuses(answers), { 401: 101, 429: 199 })
  t.is(backend.asked.length, 101)
  t.deepEqual(statuses(await inTurn(9, index => logIn('alice', `wrong ${index}`))), { 401: 9 })
  t.is((await logIn('alice', 'wrong')).status, 429)
})

test('L4: The same wrong password from 300 feeds at once counts once for the client.', async t => {
  const backend = people()
  const { poll, logIn } = await startLimitedApp(t, { backends: [backend] })
  const { 401: wrong = 0, 429: refused = 0, ...others } = statuses(await atOnce(300, () => poll('alice', 'stale')))
  t.deepEqual([wrong + refused, others], [300, {}])
  // Those that come while it is being looked at share the answer.
  t.true(backend.asked.length <= 101 && backend.asked.length < wrong, `${backend.asked.length} of ${wrong}`)
  t.is((await logIn('alice', 'pw')).status, 200)
})

test('L4: A guess that the client may not make is refused however often it is sent at once.', async t => {
  const backend = people()
  const { logIn } = await startLimitedApp(t, { backends: [backend] })
  await inTurn(10, index => logIn('alice', `wrong ${index}`))
  t.deepEqual(statuses(await atOnce(50, () => logIn('alice', 'pw'))), { 429: 50 })
  t.is(backend.asked.length, 10)
})

test('L4: A reader that polls 300 feeds at once with the right password gets them all, whatever the limits.', async t => {
  const { poll } = await startLimitedApp(t, {
    backends: [people()],
    throttle: { perClient: { failures: 1, within: MINUTE }, perAccount: { failures: 1, within: MINUTE } },
  })
  t.deepEqual(statuses(await atOnce(300, () => poll('alice', 'pw'))), { 200: 300 })
})

test('L4: People who log in behind one address at once are not refused for each other.', async t => {
  const names = Array.from({ length: 300 }, (_, index) => `person ${index}`)
  const { logIn } = await startLimitedApp(t, {
    backends: [slowDirectory(Object.fromEntries(names.map(name => [name, {}])))],
    throttle: { perNetwork: { failures: 5, within: MINUTE } },
  })
  t.deepEqual(statuses(await atOnce(300, index => logIn(names[index]!, 'pw'))), { 200: 300 })
})

test('L4: A password that was wrong until it was set is right from then on.', async t => {
  const backend = people()
  const { logIn } = await startLimitedApp(t, { backends: [backend] })
  await inTurn(5, () => logIn('alice', 'new'))
  backend.accounts.get('alice')!.password = 'new'
  t.is((await logIn('alice', 'new')).status, 200)
  t.is((await logIn('alice', 'pw')).status, 401)
})

test('L4: A network is familiar for as long as is said, and the limits of strangers do not bind it.', async t => {
  const { now, advance } = handedClock()
  const { logIn } = await startLimitedApp(t, {
    backends: [people()],
    throttle: {
      now,
      familiarFor: 100 * MINUTE,
      perAccount: { failures: 2, within: MINUTE },
      perNetwork: { failures: 2, within: MINUTE },
    },
  })
  t.is((await logIn('alice', 'pw')).status, 200)
  const attack = async () => {
    await inTurn(2, index => logIn('alice', `wrong ${index} at ${now()}`, ELSEWHERE))
    await inTurn(2, index => logIn(`nobody ${index}`, `wrong at ${now()}`))
    t.is((await logIn('alice', 'pw', '203.0.113.9')).status, 429)
    t.is((await logIn('bob', 'pw')).status, 429)
  }
  await attack()
  t.is((await logIn('alice', 'pw')).status, 200)
  advance(99 * MINUTE)
  await attack()
  t.is((await logIn('alice', 'pw')).status, 200)
  advance(100 * MINUTE)
  await attack()
  t.is((await logIn('alice', 'pw')).status, 429)
})

const WRONG: [throttle: unknown, option: string, where?: string][] = [
  [true, 'throttle', 'users()'],
  [null, 'throttle', 'users()'],
  [5, 'throttle', 'users()'],
  [[], 'throttle', 'users()'],
  [{ limit: 5 }, 'limit'],
  [{ perClient: 5 }, 'perClient'],
  [{ perClient: { failures: 0, within: 1000 } }, 'perClient.failures'],
  [{ perAccount: { failures: 1.5, within: 1000 } }, 'perAccount.failures'],
  [{ perNetwork: { failures: 5 } }, 'perNetwork.within'],
  [{ perNetwork: { failures: 5, within: 10 } }, 'perNetwork.within'],
  [{ perNetwork: { failures: 5, within: 1000, per: 'ip' } }, 'per', 'users() throttle.perNetwork'],
  [{ familiarFor: 0 }, 'familiarFor'],
  [{ familiarFor: '30d' }, 'familiarFor'],
  [{ deviceCookie: 'yes' }, 'deviceCookie'],
  [{ deadline: 0 }, 'deadline'],
  [{ deadline: 2 ** 31 }, 'deadline'],
  [{ now: 5 }, 'now'],
  [{ redis: {} }, 'redis'],
  [{ redis: 'redis://localhost' }, 'redis'],
  [{ redis: null }, 'redis'],
  [{ sql: {} }, 'sql'],
  [{ sql: () => {} }, 'sql'],
  [{ sql: Object.assign(() => {}, { client: { dialect: 'oracledb' } }) }, 'sql'],
  [{ sql: {}, redis: {} }, 'sql'],
  [{ prefix: 'x:' }, 'prefix'],
]

for (const [throttle, option, where = 'users() throttle'] of WRONG) {
  test(`A throttle of ${inspect(throttle)} is an error that names ${option}.`, t => {
    const error = t.throws(() => users({ backends: [people()], throttle: throttle as UsersOptions['throttle'] }), {
      instanceOf: OptionInvalid,
    })
    t.is(error?.option, option)
    t.is(error?.where, where)
  })
}

test('L4: The options that an application hands over stay as they are.', t => {
  const throttle = Object.freeze({ perClient: Object.freeze({ failures: 5, within: 1000 }) })
  t.notThrows(() => users({ backends: [people()], throttle }))
})
