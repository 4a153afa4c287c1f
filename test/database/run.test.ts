import test from 'ava'
import type { Knex } from 'knex'
import { runOn } from '../../lib/database/run.ts'
import type { Statement } from '../../lib/database/silence.ts'

const deadlock = () =>
  Object.assign(new Error("update `users` set `name` = 'zoë' - Deadlock found"), { code: 'ER_LOCK_DEADLOCK' })

/** What is a knex instance to all that matters here. */
function knex(isTransaction: boolean): Knex {
  return Object.assign(() => {}, { client: { dialect: 'mysql' }, isTransaction }) as unknown as Knex
}

/** Statements that the database calls off as often as is said, and how many there were. */
function calledOff(times: number) {
  const limits: number[] = []
  let made = 0
  const statement = (): Statement<string> => {
    const outcome = ++made > times ? Promise.resolve('done') : Promise.reject(deadlock())
    return Object.assign(outcome, {
      timeout: (milliseconds: number) => limits.push(milliseconds),
      on: (_event: 'start', listener: () => void) => listener(),
    })
  }
  return { statement, limits, made: () => made }
}

test('A statement that the database called off for another one is made anew, within its limit.', async t => {
  const { statement, limits, made } = calledOff(2)
  t.is(await runOn('test', knex(false), 50)(statement), 'done')
  t.is(made(), 3)
  t.deepEqual(limits, [50, 50, 50])
})

test("A statement of the application's own transaction is made once, without a limit: what it stands on may be undone.", async t => {
  const { statement, limits, made } = calledOff(2)
  const error = await t.throwsAsync(runOn('test', knex(true), 50)(statement), { code: 'ER_LOCK_DEADLOCK' })
  t.is(made(), 1)
  t.deepEqual(limits, [])
  t.false(error!.message.includes('zoë'), 'L9: the error tells no values')
})
