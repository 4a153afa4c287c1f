import test, { type ExecutionContext } from 'ava'
import { settleThrottle } from '../../lib/users/throttle/options.ts'
import { Throttle } from '../../lib/users/throttle/throttle.ts'
import { heard } from '../heard.ts'
import { LONG, scaled } from '../scale.ts'
import { handedClock } from '../sessions/stores/setups.ts'
import {
  atOnce,
  ELSEWHERE,
  HOME,
  inTurn,
  type LimitedAppOptions,
  slowDirectory,
  startLimitedApp,
  statuses,
} from './throttle/app.ts'

const GUESSES = scaled(10_000)
const ADDRESSES = scaled(1_000)
const ACCOUNTS = 1_000
const NAMES = Array.from({ length: ACCOUNTS }, (_, index) => `person ${index}`)
const ATTACKER = '203.0.113.66'
const LATER = '192.0.2.77'

/** The clients of a test have 200 connections. */
const WAYS = { 'one after the other': inTurn, '200 at a time': atOnce } as const

/** Everybody's password is 'pw'. Alice has been here, from home and with her browser; so has Carol, from where the attacker is. */
async function attacked(t: ExecutionContext, throttle?: LimitedAppOptions['throttle']) {
  t.timeout(LONG)
  const people = Object.fromEntries(['alice', 'bob', 'carol', ...NAMES].map(name => [name, {}]))
  const backend = slowDirectory(people)
  const app = await startLimitedApp(t, { backends: [backend], ...(throttle !== undefined && { throttle }) })
  const alices = app.browser()
  await app.logIn('alice', 'pw', HOME, alices)
  await app.logIn('carol', 'pw', ATTACKER)
  backend.asked.length = 0
  const reached = () => backend.asked.filter(({ password }) => password !== 'pw').length
  const ways = {
    'the owner at home': () => app.logIn('alice', 'pw', HOME),
    'the browser of the owner, on the way': () => app.logIn('alice', 'pw', ELSEWHERE, alices),
    'the owner where nobody knows them': () => app.logIn('alice', 'pw', LATER),
    'a reader of the owner, at home': () => app.poll('alice', 'pw', HOME),
    'somebody else, elsewhere': () => app.logIn('bob', 'pw', ELSEWHERE),
    'a neighbour of the attacker who has been here': () => app.logIn('carol', 'pw', ATTACKER),
    'a neighbour of the attacker who has not': () => app.logIn('bob', 'pw', ATTACKER),
  }
  /** Who could not log in, of all these. */
  const refused = async () => {
    const answers = await Promise.all(Object.values(ways).map(logIn => logIn()))
    return Object.keys(ways).filter((_, index) => answers[index]!.status !== 200)
  }
  return { ...app, reached, refused, ways }
}

for (const [way, many] of Object.entries(WAYS)) {
  test(`L4: Of ${GUESSES} guesses at one account from one address, ${way}, ten reach the backend, and the owner logs in meanwhile and afterwards.`, async t => {
    const { logIn, reached, refused } = await attacked(t)
    const during: Promise<string[]>[] = []
    const answers = await many(GUESSES, index => {
      if (index === GUESSES / 2) during.push(refused())
      return logIn('alice', `guess ${index}`, ATTACKER)
    })
    t.is(reached(), 10)
    t.deepEqual(statuses(answers), { 401: 10, 429: GUESSES - 10 })
    t.deepEqual(await Promise.all(during), [[]])
    t.deepEqual(await refused(), [])
  })

  test(`L4: Of ${GUESSES} guesses at one account from ${ADDRESSES} addresses, ${way}, fifty reach the backend; the owner logs in from a network or a browser that has been used before, and nobody else is refused.`, async t => {
    const { logIn, reached, refused, ways } = await attacked(t)
    const during: Promise<string[]>[] = []
    const answers = await many(GUESSES, index => {
      if (index === GUESSES / 2) during.push(refused())
      const address = index % ADDRESSES
      return logIn('alice', `guess ${index}`, `10.${address >> 8}.${address & 255}.1`)
    })
    t.is(reached(), 50)
    t.deepEqual(statuses(answers), { 401: 50, 429: GUESSES - 50 })
    t.deepEqual(await Promise.all(during), [['the owner where nobody knows them']])
    t.deepEqual(await refused(), ['the owner where nobody knows them'])
    t.is((await ways['the owner where nobody knows them']()).headers['retry-after'], '72')
  })

  test(`L4: Of a spray of one password over ${ACCOUNTS} accounts from one address, ${way}, a hundred guesses reach the backend; all but the newcomers of that network log in.`, async t => {
    const { logIn, reached, refused } = await attacked(t)
    const during: Promise<string[]>[] = []
    const answers = await many(ACCOUNTS, index => {
      if (index === ACCOUNTS / 2) during.push(refused())
      return logIn(NAMES[index]!, 'Spring 2026!', ATTACKER)
    })
    t.is(reached(), 100)
    t.deepEqual(statuses(answers), { 401: 100, 429: ACCOUNTS - 100 })
    t.deepEqual(await Promise.all(during), [['a neighbour of the attacker who has not']])
    t.deepEqual(await refused(), ['a neighbour of the attacker who has not'])
  })

  test(`L4: A spray over a hundred addresses, ${way}, gets one guess at each of ${ACCOUNTS} accounts, as it is below every limit, and nobody is refused.`, async t => {
    const { logIn, reached, refused } = await attacked(t)
    await many(ACCOUNTS, index => logIn(NAMES[index]!, 'Spring 2026!', `10.0.${index % 100}.1`))
    t.is(reached(), ACCOUNTS)
    t.deepEqual(await refused(), [])
  })

  test(`L4: Of five passwords that are sprayed over 80 accounts from two addresses, ${way}, a hundred guesses of each address reach the backend.`, async t => {
    const { logIn, reached, refused } = await attacked(t)
    const answers = await many(400, index =>
      logIn(NAMES[index % 80]!, `password ${Math.floor(index / 80)}`, `10.0.${index % 2}.1`),
    )
    t.is(reached(), 200)
    t.deepEqual(statuses(answers), { 401: 200, 429: 200 })
    t.deepEqual(await refused(), [])
  })

  test(`L4: Without limits all of ${GUESSES} guesses reach the backend, ${way}.`, async t => {
    const { logIn, reached } = await attacked(t, false)
    await many(GUESSES, index => logIn('alice', `guess ${index}`, ATTACKER))
    t.is(reached(), GUESSES)
  })
}

test('L4: An attacker who goes on for a day gets as many guesses as are forgotten: 40 an hour from one address, 50 from everywhere.', async t => {
  const counts: number[] = []
  for (const addresses of [1, 10]) {
    const { now, advance } = handedClock()
    const throttle = new Throttle(settleThrottle('test', { now }))
    let admitted = 0
    for (let minute = 0; minute < 24 * 60; minute++) {
      for (let address = 0; address < addresses; address++) {
        const credentials = { username: 'alice', password: `${address} ${minute}` }
        const guess = { credentials, ip: `10.0.${address}.1`, deviceFor: () => null }
        const attempt = await throttle.admit(guess).catch(() => null)
        if (attempt) admitted++
        await attempt?.settle('failed')
      }
      advance(60_000)
    }
    counts.push(admitted)
  }
  // What may fail at once, and what is forgotten while it goes on.
  t.deepEqual(counts, [10 + 24 * 40 - 1, 50 + 24 * 50 - 1])
})

for (const [whose, from] of [
  ['whose network the account knows', HOME],
  ['of which nothing is known, as after a restart', LATER],
] as const) {
  test(`L4: A reader ${whose} polls 1,000 times with one stale password, and then its owner logs in by the form with the new one.`, async t => {
    const backend = Object.assign(slowDirectory({ alice: { password: 'old' } }), { stampFollowsPassword: true })
    const { logIn, poll } = await startLimitedApp(t, { backends: [backend] })
    t.is((await poll('alice', 'old', HOME)).status, 200)
    Object.assign(backend.accounts.get('alice')!, { password: 'new', stamp: 'new' })
    backend.asked.length = 0
    const polls = [
      ...(await inTurn(500, () => poll('alice', 'old', from))),
      ...(await atOnce(500, () => poll('alice', 'old', from))),
    ]
    t.deepEqual(statuses(polls), { 401: 101, 429: 899 })
    t.is(backend.asked.length, 101)
    t.is((await logIn('alice', 'new', from)).status, 200)
    t.is((await poll('alice', 'new', from)).status, 200)
  })
}

test.serial('L4: Nothing that events tell of an attack names the account or holds a password.', async t => {
  const messages = [heard(t, 'koa-strata:throttled'), heard(t, 'koa-strata:login-failed')]
  const { logIn } = await attacked(t)
  await inTurn(30, index => logIn('alice', `guess ${index}`, ATTACKER))
  t.is(messages.flat().length, 30)
  t.notRegex(JSON.stringify(messages), /alice|guess/)
})
