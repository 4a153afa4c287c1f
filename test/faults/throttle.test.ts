import test, { type ExecutionContext } from 'ava'
import { heard } from '../heard.ts'
import { startRedis } from '../servers/redis.ts'
import type { Server } from '../servers/server.ts'
import { CLIENTS } from '../sessions/stores/redis/setup.ts'
import { ELSEWHERE, HOME, type LimitedApp, slowDirectory, startLimitedApp } from '../users/throttle/app.ts'

const DEADLINE = 200
/** What a busy machine takes beyond the deadlines of one login, in milliseconds: far less than a client of Redis would wait. */
const MARGIN = 3_000
const GUESSES = 40

const FAULTS: Record<string, { strike(server: Server): unknown; mend(server: Server): unknown }> = {
  'is frozen': { strike: server => server.signal('SIGSTOP'), mend: server => server.signal('SIGCONT') },
  'is killed': { strike: server => server.kill(), mend: server => server.restart() },
}

/** Guesses at Alice's account, and how many of them were looked at. */
async function guess({ logIn }: LimitedApp, what: string, from: string): Promise<{ looked: number; longest: number }> {
  let [looked, longest] = [0, 0]
  for (let index = 0; index < GUESSES; index++) {
    const begun = performance.now()
    const { status } = await logIn('alice', `${what} ${index}`, from)
    longest = Math.max(longest, performance.now() - begun)
    if (status === 401) looked++
    else if (status !== 429) throw new Error(`${what} ${index}: ${status}`)
  }
  return { looked, longest }
}

async function start(t: ExecutionContext, client: keyof typeof CLIENTS) {
  const server = await startRedis(t)
  const redis = async () => ({ redis: await CLIENTS[client](t, server.url), deadline: DEADLINE })
  const app = async () =>
    startLimitedApp(t, { backends: [slowDirectory({ alice: {}, bob: {} })], throttle: await redis() })
  return { server, app: await app(), other: await app() }
}

// One after another: each fault is to show what it does, not what another one does beside it.
for (const [what, { strike, mend }] of Object.entries(FAULTS)) {
  for (const client of Object.keys(CLIENTS) as (keyof typeof CLIENTS)[]) {
    test.serial(
      `L4: While the Redis of the limits ${what}, ${client} on it, logins are looked at in time, and guesses are limited; then it counts for all processes again.`,
      async t => {
        const errors = heard(t, 'koa-strata:throttle-error')
        const { server, app, other } = await start(t, client)
        t.is((await app.logIn('alice', 'pw', HOME)).status, 200)
        t.is((await guess(app, 'before', '203.0.113.1')).looked, 10)
        t.is((await guess(other, 'there', '203.0.113.1')).looked, 0)
        t.is(errors.length, 0)

        await strike(server)
        const during = await guess(app, 'during', '203.0.113.2')
        t.is(during.looked, 10)
        // Those of this process count on, and the other one knows of none.
        t.is((await guess(app, 'again', '203.0.113.1')).looked, 0)
        t.is((await guess(other, 'there too', '203.0.113.1')).looked, 10)
        const begun = performance.now()
        t.is((await app.logIn('alice', 'pw', HOME)).status, 200)
        t.is((await other.logIn('bob', 'pw', ELSEWHERE)).status, 200)
        const longest = Math.max(during.longest, performance.now() - begun)
        t.log(`the longest took ${Math.round(longest)} ms`)
        t.true(longest < 4 * DEADLINE + MARGIN, `${longest} ms`)
        t.true(errors.length > 0)

        await mend(server)
        const recovered = await untilShared(t, app, other)
        t.log(`shared again after ${Math.round(recovered)} ms`)
        t.true(recovered < 2_000 + MARGIN, `${recovered} ms`)
      },
    )
  }
}

/** Fails in one process until it counts in the other, and answers how many milliseconds that took. */
async function untilShared(t: ExecutionContext, one: LimitedApp, other: LimitedApp): Promise<number> {
  const begun = performance.now()
  for (let round = 0; ; round++) {
    const name = `nobody ${round}`
    const from = `10.0.${round >> 8}.${round & 255}`
    for (let index = 0; index < 10; index++) await one.logIn(name, `guess ${index}`, from)
    if ((await other.logIn(name, 'guess', from)).status === 429) return performance.now() - begun
    if (performance.now() - begun > 60_000) t.fail('not shared again within a minute')
  }
}
