import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import { DATABASES, migratedDatabase } from '../../database/servers.ts'
import { sharedServer } from '../../servers/shared.ts'
import type { Place } from './process.ts'

const PROCESSES = 2
const GUESSES = 60

const PLACES: Record<string, (t: ExecutionContext) => Promise<Place>> = {
  redis: async () => {
    const [url = ''] = await sharedServer('redis')
    return { redis: { url, prefix: `${randomBytes(8).toString('hex')}:` } }
  },
  ...Object.fromEntries(
    DATABASES.map(name => [name, async (t: ExecutionContext) => ({ sql: (await migratedDatabase(t, name)).config })]),
  ),
}

/** How many guesses at one account each process lets through, when all of them are made at once. */
async function attack(t: ExecutionContext, place: Place, addresses: number): Promise<number> {
  const processes = Array.from({ length: PROCESSES }, (_, number) =>
    fork(new URL('process.ts', import.meta.url), [JSON.stringify(place), GUESSES, addresses, number].map(String), {
      execArgv: ['--conditions=koa-strata:source'],
    }),
  )
  t.teardown(() => {
    for (const one of processes) one.kill()
  })
  await Promise.all(processes.map(one => once(one, 'message')))
  const answers = processes.map(one => once(one, 'message'))
  for (const one of processes) one.send('go')
  return (await Promise.all(answers)).reduce((sum, [count]) => sum + count, 0)
}

for (const [name, open] of Object.entries(PLACES)) {
  test.serial(`L4: ${name}: Two processes together let through fifty guesses at one account, as one does.`, async t => {
    const admitted = await attack(t, await open(t), 100)
    // One more where the attack lasts until the first is forgotten.
    t.true(admitted === 50 || admitted === 51, String(admitted))
  })
}

test.serial('L4: redis: Two processes together let through ten guesses at one account from one address.', async t => {
  const admitted = await attack(t, await PLACES.redis!(t), 1)
  t.true(admitted === 10 || admitted === 11, String(admitted))
})

test.serial(
  'L4: Two processes that count by themselves let through twice as many: the control of the others.',
  async t => {
    t.is(await attack(t, {}, 100), 100)
    t.is(await attack(t, {}, 1), 20)
  },
)
