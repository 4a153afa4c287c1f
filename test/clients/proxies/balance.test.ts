import { setTimeout as wait } from 'node:timers/promises'
import anyTest, { type TestFn } from 'ava'
import { scaled } from '../../scale.ts'
import { Load, type Sent } from './load.ts'
import { PROXIES } from './proxies.ts'
import { type Stage, startStage } from './stage.ts'
import { Visitor } from './visitor.ts'

/** The site with cookies for https only, and without. */
const test = anyTest as TestFn<Record<'https' | 'http', Stage>>
const ends: (() => unknown)[] = []

test.before(async t => {
  const owner = { teardown: (end: () => unknown) => ends.unshift(end) }
  const [https, http] = await Promise.all([startStage(owner, { secure: true }), startStage(owner, { secure: false })])
  t.context = { https, http }
})
test.after.always(async () => {
  for (const end of ends) await end()
})

/** How many people ask at once, behind each proxy. */
const PEOPLE = 20
/** How often somebody asks at most, to be answered by both processes. */
const MOST_TRIES = 100
/** How long a process that is back may wait for requests, in milliseconds. */
const PATIENCE = 30_000

const pidsOf = ({ site }: Stage) => site.processes.map(({ pid }) => pid).sort((one, other) => one - other)

/** What the processes of a site answer somebody whom the proxy sends to one of them at each request. */
async function saidByAll(stage: Stage, visitor: Visitor) {
  const answers = new Map<number, Awaited<ReturnType<Visitor['get']>>['said']>()
  for (let tries = 0; tries < MOST_TRIES && answers.size < pidsOf(stage).length; tries++) {
    const { said } = await visitor.get('/')
    if (said.pid !== undefined) answers.set(said.pid, said)
  }
  return [...answers.values()].sort((one, other) => one.pid! - other.pid!)
}

test.serial('No one is logged out, and only what is in flight fails, when a process dies under load.', async t => {
  t.timeout(240_000)
  const stage = t.context.http
  const { site, certificate, running } = stage
  const [dying, surviving] = site.processes
  const died = dying.pid
  const loads = PROXIES.map(
    ({ name }) =>
      new Load(running[name]!.http, name, { certificate, people: PEOPLE, before: scaled(50), after: scaled(100) }),
  )
  await Promise.all(loads.map(({ isUnderWay }) => isUnderWay))
  await dying.kill()
  const noticed = performance.now()
  await Promise.all(loads.map(load => load.end()))

  const counted = site.counted()
  t.is(new Set(counted).size, counted.length, 'what changes something is never repeated')
  for (const [index, { name }] of PROXIES.entries()) {
    const { sent } = loads[index]!
    const [failed, answered] = [false, true].map(is => sent.filter(({ isAnswered }) => isAnswered === is)) as [
      Sent[],
      Sent[],
    ]
    t.log(`${name}: ${sent.length} requests, ${failed.length} failed`)
    t.deepEqual(
      answered.filter(({ username, user }) => user !== `form:${username}`),
      [],
      `${name}: logged out`,
    )
    t.deepEqual(
      failed.filter(({ at }) => at > noticed),
      [],
      `${name}: sent after the process had died`,
    )
    t.true(failed.length <= PEOPLE, `${name}: everybody has one request in flight`)
    t.true(
      answered.some(({ pid }) => pid === died),
      `${name}: it was asked while it lived`,
    )
    t.true(answered.filter(({ at }) => at > noticed).length >= PEOPLE, `${name}: the other one goes on`)
    t.deepEqual(
      answered.filter(({ id }) => id !== null && !counted.includes(id)),
      [],
      `${name}: answered and not counted`,
    )
  }

  await surviving.kill()
  const visitors = PROXIES.map(({ name }) => [name, new Visitor(running[name]!.http, certificate)] as const)
  t.teardown(() => {
    for (const [, visitor] of visitors) visitor.close()
  })
  for (const [name, visitor] of visitors) {
    const { status } = await visitor.get('/')
    t.true(status >= 500, `the control: without a process behind it ${name} answers ${status}`)
  }

  await Promise.all(site.processes.map(one => one.restart()))
  const deadline = performance.now() + PATIENCE
  await Promise.all(
    visitors.map(async ([name, visitor]) => {
      while ((await saidByAll(stage, visitor)).length < 2 && performance.now() < deadline) await wait(50)
      t.deepEqual(
        (await saidByAll(stage, visitor)).map(({ pid }) => pid!),
        pidsOf(stage),
        `${name} asks both again`,
      )
    }),
  )
})

for (const { name } of PROXIES) {
  for (const scheme of ['https', 'http'] as const) {
    test(`X4: behind ${name}, over ${scheme}, a login holds at both processes, whichever is asked, and so does the logout.`, async t => {
      const stage = t.context[scheme]
      const visitor = new Visitor(stage.running[name]![scheme], stage.certificate)
      t.teardown(() => visitor.close())
      const all = (user: string) =>
        pidsOf(stage).map(pid => ({ pid, user, protocol: scheme, secure: scheme === 'https' }))
      const seen = async () =>
        (await saidByAll(stage, visitor)).map(({ pid, user, protocol, secure }) => ({ pid, user, protocol, secure }))

      await visitor.login('alice')
      const { cookie, setCookie } = visitor
      t.regex(setCookie, scheme === 'https' ? /^__Host-sid=.*; Secure/ : /^sid=(?!.*Secure)/)
      t.deepEqual(await seen(), all('form:alice'))
      t.is((await visitor.post('/logout')).status, 204)
      visitor.cookie = cookie
      t.deepEqual(await seen(), all(''))
    })
  }
}
