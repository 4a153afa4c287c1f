import test from 'ava'
import { bySilence } from '../../lib/database/silence.ts'
import { migratedDatabase } from './servers.ts'

/** A statement that is told its limits, if any, when it gets its connection, and rejects or answers. */
function statement(limits: (number | undefined)[], run: () => Promise<unknown>) {
  let limit: number | undefined
  const started: (() => void)[] = []
  return {
    timeout(milliseconds: number) {
      limit = milliseconds
    },
    on: (_: 'start', listener: () => void) => started.push(listener),
    // biome-ignore lint/suspicious/noThenProperty: knex's statements are run by awaiting them
    then(...settled: Parameters<Promise<unknown>['then']>) {
      for (const start of started) start()
      limits.push(limit)
      return run().then(...settled)
    },
  } as unknown as Parameters<ReturnType<typeof bySilence>>[0]
}

const silent = async () => {
  throw Object.assign(new Error('Defined query timeout of 5ms exceeded'), { name: 'KnexTimeoutError', timeout: 5 })
}
const failing = (more: object) => async () => {
  throw Object.assign(new Error('failed'), more)
}

test('After twenty statements without an answer no further connection is given up, until one answers.', async t => {
  const limits: (number | undefined)[] = []
  const within = bySilence(5)
  const run = (how: () => Promise<unknown>) => within(statement(limits, how)).catch(() => {})
  for (let time = 0; time < 25; time++) await run(silent)
  t.deepEqual(limits, [...Array(20).fill(5), ...Array(5).fill(undefined)])
  for (const answer of [async () => 'rows', failing({ sqlState: '42S02' }), failing({ severity: 'ERROR' })]) {
    await run(answer)
    limits.length = 0
    for (let time = 0; time < 21; time++) await run(silent)
    t.deepEqual(limits, [...Array(20).fill(5), undefined])
  }
})

test('A connection that could not be had, or was lost, says nothing about silence.', async t => {
  const limits: (number | undefined)[] = []
  const within = bySilence(5)
  const run = (how: () => Promise<unknown>) => within(statement(limits, how)).catch(() => {})
  for (let time = 0; time < 30; time++) await run(failing({ name: 'KnexTimeoutError' }))
  for (let time = 0; time < 30; time++) await run(failing({ code: 'ECONNRESET' }))
  t.deepEqual(limits, Array(60).fill(5))
  for (let time = 0; time < 20; time++) await run(silent)
  await run(failing({ code: 'ECONNRESET' }))
  limits.length = 0
  await run(silent)
  t.deepEqual(limits, [undefined])
})

test('A limit beyond what timers count is the longest that they do.', async t => {
  const limits: (number | undefined)[] = []
  await bySilence(Number.MAX_SAFE_INTEGER)(statement(limits, async () => 1))
  t.deepEqual(limits, [2 ** 31 - 1])
})

for (const [name, sleep] of [
  ['mariadb', 'select sleep(60)'],
  ['postgresql', 'select pg_sleep(60)'],
] as const) {
  test(`T3: ${name}: a connection that does not answer in time gives way to another one in the pool.`, async t => {
    const { open } = await migratedDatabase(t, name)
    const knex = open({ pool: { min: 0, max: 1 } })
    const within = bySilence(100)
    const connection = name === 'mariadb' ? 'select connection_id() as id' : 'select pg_backend_pid() as id'
    const idOf = async () => {
      const answer = await within<{ rows?: { id: number }[] } & { id: number }[][]>(knex.raw(connection))
      return (answer.rows ?? answer[0]!)[0]!.id
    }
    const before = await idOf()
    await t.throwsAsync(within(knex.raw(sleep)), { name: 'KnexTimeoutError' })
    t.not(await idOf(), before)
    await open()
      .raw(name === 'mariadb' ? 'kill connection ?' : 'select pg_terminate_backend(?)', [before])
      .catch(() => {})
  })
}
