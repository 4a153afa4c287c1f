import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { newSessionId } from '../../lib/sessions/id.ts'
import { foundOrganisation, PLACES } from './shared-organisation.ts'
import { ServingProcess } from './shared-processes.ts'
import { type Seen, type Site, Visitor } from './shared-visitor.ts'

const [OLD, NEW] = ['the key that there was, 32 bytes or more', 'the key that there will be, long enough']
/** What each deployment is told, in this order. */
const VERSIONS = [[OLD], [OLD, NEW], [NEW, OLD]] as const

let processes: [ServingProcess, ServingProcess]

test.before('Two processes start.', () => {
  processes = [new ServingProcess(), new ServingProcess()]
})
test.after.always('They end.', () => Promise.all(processes.map(one => one.end())))

async function logIn(site: Site, username: string): Promise<Visitor> {
  const visitor = new Visitor()
  const { status } = await visitor.get(site, `/login?u=staff-${username}`)
  if (status !== 200) throw new Error(`${username} could not log in: ${status}`)
  return visitor
}

/** What people do all the while. */
const PATHS = ['/who', '/set?seen=1', '/slow/update', '/who', '/slow/save']

for (const kind of [...PLACES, 'cookie']) {
  test(`X4: ${kind}: keys are rotated while versions of two adjacent steps run side by side under load, and nobody is logged out.`, async t => {
    const { setting } = await foundOrganisation(t, kind)
    const serve = async (index: 0 | 1, keys: readonly string[]): Promise<Site> => {
      const name = index === 0 ? 'shop' : 'forum'
      return { port: await processes[index].serve(setting(name, { keys: [...keys] })) }
    }
    const running: [Site, Site] = [await serve(0, VERSIONS[0]), await serve(1, VERSIONS[0])]
    const people = [await logIn(running[0], 'first'), await logIn(running[1], 'second')]
    const found = { requests: 0, lost: 0, cookies: 0 }
    let deployed = false
    /** Somebody who goes from one process to the other until all is deployed, and once more. */
    const visit = async (visitor: Visitor): Promise<void> => {
      for (let round = 0, last = false; !last; round++) {
        last = deployed
        const seen: Seen = await visitor.get(running[round % 2]!, PATHS[round % PATHS.length]!)
        found.requests++
        if (seen.status !== 200) found.lost++
        found.cookies += seen.setCookies.length
        if ((await visitor.whoIs(running[(round + 1) % 2]!)) === '') found.lost++
        await turn()
      }
    }
    const visits = people.map(visit)
    for (const keys of VERSIONS.slice(1)) {
      for (const index of [0, 1] as const) {
        running[index] = await serve(index, keys)
        // Somebody logs in at each of the two while they differ.
        for (const site of running) {
          const visitor = await logIn(site, newSessionId())
          people.push(visitor)
          visits.push(visit(visitor))
        }
      }
    }
    deployed = true
    await Promise.all(visits)
    t.true(found.requests > people.length, `${found.requests} requests`)
    t.is(found.lost, 0)
    // In a store a session keeps the cookie that it began with; data in the cookie has to be sent when it changes.
    if (kind !== 'cookie') t.is(found.cookies, 0)
    for (const [index, visitor] of people.entries()) {
      for (const site of running) t.not(await visitor.whoIs(site), '', `person ${index}`)
    }

    // The control: without the old key, who came last is known, and who came first is not.
    const without = await serve(0, [NEW])
    t.not(await people.at(-1)!.whoIs(without), '')
    if (kind !== 'cookie') t.is(await people[0]!.whoIs(without), '')
    t.not(await people[0]!.whoIs(running[1]), '', 'and nothing has ended by that')
  })
}

test('X4: the control of the rotation: where a version signs with a key that the one beside it does not know, people are logged out.', async t => {
  const { setting } = await foundOrganisation(t, 'file')
  const before: Site = { port: await processes[0].serve(setting('shop', { keys: [OLD] })) }
  const after: Site = { port: await processes[1].serve(setting('forum', { keys: [NEW, OLD] })) }
  const early = await logIn(before, 'early')
  t.not(await early.whoIs(after), '')
  const visitor = await logIn(after, 'late')
  t.is(await visitor.whoIs(before), '')
  await visitor.get(before, '/set?note=1')
  t.is(await visitor.whoIs(after), '', 'its cookie has been displaced')
})
