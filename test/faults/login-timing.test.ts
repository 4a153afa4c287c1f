import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { sessions, type UserBackend, users } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { verifyPassword } from '../../lib/users/passwords.ts'
import { migratedDatabase } from '../database/servers.ts'
import { LONG, scaled } from '../scale.ts'
import { type Browser, KEY, startApp, type TestContext } from '../sessions/app.ts'
import { userOf } from '../users/app.ts'
import { welch } from './welch.ts'

/** As in dudect: beyond it, the times are told apart. */
const TELLING = 4.5
const PASSWORD = 'correct horse battery staple'
/** How many accounts there are of each kind. Their names have one length. */
const ACCOUNTS = 10

type Login = { name: string; password: string }
/** Makes the n-th login of its kind. */
type Kind = (n: number) => Login

/** Accounts by what stands in their rows. None of these logins may succeed. */
const ROWS = {
  'a wrong password': {},
  'an inactive user': { is_active: false },
  'no password': { password: null },
  'an unusable hash of Django': { password: '!kPfLZ2TtYf0bTJ2yZmYVZXmBKYxNvAyZLCV4bKyS' },
  'a hash of an unknown format': {
    password: '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbY',
  },
} as const

const KINDS: Record<string, Kind> = {
  'an unknown name or address': n => ({
    name: `${String(n).padStart(6, '0')}${n % 2 ? '-nobody' : '@x.test'}`,
    password: PASSWORD,
  }),
}
for (const [at, what] of Object.keys(ROWS).entries()) {
  const password = what === 'a wrong password' ? PASSWORD.toUpperCase() : PASSWORD
  KINDS[what] = n => ({ name: accountName(at, n), password })
}

function accountName(kind: number, n: number): string {
  return `person-${kind}-${String(n % ACCOUNTS).padStart(4, '0')}`
}

async function people(t: ExecutionContext): Promise<{ knex: Knex; backend: UserBackend }> {
  const { knex } = await migratedDatabase(t, 'mariadb')
  const backend = sqlUsers(knex)
  for (const [at, row] of Object.values(ROWS).entries()) {
    for (let n = 0; n < ACCOUNTS; n++) {
      const { id } = await backend.create({
        username: accountName(at, n),
        email: `${at}-${n}@people.example`,
        password: PASSWORD,
      })
      if (Object.keys(row).length > 0) await knex('users').where({ id }).update(row)
    }
  }
  return { knex, backend }
}

/** The times of so many logins of each kind, in milliseconds, in an order that chance chose, one after the other; and what the answers were. */
async function times(t: ExecutionContext, backend: UserBackend, kinds: Record<string, Kind>, count: number) {
  const { browser } = await startApp(t, {
    // The limiter would answer before anything is compared.
    layers: [sessions({ keys: [KEY] }), users({ backends: [backend], throttle: false })],
    handlers: {
      '/login': async given => {
        const ctx = given as TestContext & { authenticate(credentials: object): Promise<object | null> }
        const user = await ctx.authenticate({ username: ctx.query.name, password: ctx.query.password })
        if (!user) return ctx.throw(401, 'The name or the password is wrong.')
        return 'in'
      },
    },
  })
  const visitor = browser()
  const order = Object.keys(kinds).flatMap(kind => Array.from({ length: count }, (_, n) => ({ kind, n })))
  shuffle(order)
  const measured = new Map(Object.keys(kinds).map(kind => [kind, [] as number[]]))
  const answers = new Set<string>()
  for (let n = 0; n < 20; n++) await timed(visitor, Object.values(kinds)[n % 2]!(n))
  for (const { kind, n } of order) {
    const { time, answer } = await timed(visitor, kinds[kind]!(n))
    measured.get(kind)!.push(time)
    answers.add(answer)
  }
  return { measured, answers }
}

async function timed(visitor: Browser, { name, password }: Login): Promise<{ time: number; answer: string }> {
  const path = `/login?name=${encodeURIComponent(name)}&password=${encodeURIComponent(password)}`
  const started = performance.now()
  const { status, headers, text } = await visitor.get(path)
  const time = performance.now() - started
  const { date: _, ...others } = headers
  return { time, answer: JSON.stringify([status, others, text]) }
}

function shuffle(list: unknown[]): void {
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1))
    ;[list[at], list[other]] = [list[other], list[at]]
  }
}

test.serial('L1: unknown, inactive, wrong, none and unusable take the same time, and get the same answer.', async t => {
  t.timeout(LONG)
  const { backend } = await people(t)
  const { measured, answers } = await times(t, backend, KINDS, scaled(2_000))
  t.is(answers.size, 1, [...answers].join('\n'))
  t.regex([...answers][0]!, /^\[401,/)
  const wrong = measured.get('a wrong password')!
  for (const [kind, sample] of measured) {
    const score = welch(sample, wrong)
    t.log(`${kind}: t = ${score.toFixed(2)}`)
    t.true(Math.abs(score) < TELLING, `${kind}: t = ${score}`)
  }
})

test.serial(
  'L1: a backend that hashes only where there is a hash is told by its times, so the test above can fail.',
  async t => {
    t.timeout(LONG)
    const { knex } = await people(t)
    const naive: UserBackend = {
      name: 'naive',
      async authenticate({ username, password }) {
        const row = await knex('users').where({ username_canonical: username }).first()
        return row?.password && (await verifyPassword(password!, row.password)) ? userOf('naive', '1') : null
      },
      load: async () => null,
    }
    const kinds = {
      wrong: KINDS['a wrong password']!,
      unknown: KINDS['an unknown name or address']!,
      none: KINDS['no password']!,
    }
    const { measured, answers } = await times(t, naive, kinds, scaled(500))
    t.is(answers.size, 1)
    for (const kind of ['unknown', 'none'] as const) {
      const score = welch(measured.get(kind)!, measured.get('wrong')!)
      t.log(`${kind}: t = ${score.toFixed(2)}`)
      t.true(Math.abs(score) > TELLING, `${kind}: t = ${score}`)
    }
  },
)
