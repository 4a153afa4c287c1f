import test, { type ExecutionContext } from 'ava'
import type { SessionStore } from 'koa-strata'
import { newSessionId, storeId } from '../../lib/sessions/id.ts'
import { LONG, scaled } from '../scale.ts'
import { KEY } from '../sessions/app.ts'
import { batches } from '../sessions/racing.ts'
import { signed } from '../site.ts'
import { openPlace } from '../users/detached-places.ts'
import { SLOW_PATHS } from './shared-app.ts'
import {
  type Applications,
  foundOrganisation,
  type Organisation,
  PLACES,
  startApplications,
} from './shared-organisation.ts'
import { ServingProcess } from './shared-processes.ts'
import { type Seen, type Site, Visitor } from './shared-visitor.ts'

let processes: ServingProcess[]
const ends: (() => unknown)[] = []
const owner = { teardown: (end: () => unknown) => ends.unshift(end) }
const started = new Map<string, Promise<Organisation & Applications>>()

test.before('Three processes start.', () => {
  processes = Array.from({ length: 3 }, () => new ServingProcess())
})
test.after.always('They end, and then what they had open.', async () => {
  await Promise.all(processes.map(one => one.end()))
  for (const end of ends) await end()
})

/** An organisation whose sessions are in this kind of place, with its applications: the tests of a kind share one, and have people of their own. */
function start(kind: string): Promise<Organisation & Applications> {
  const found = started.get(kind) ?? startAnew(kind)
  started.set(kind, found)
  return found
}

async function startAnew(kind: string): Promise<Organisation & Applications> {
  const organisation = await foundOrganisation(owner, kind)
  return { ...organisation, ...(await startApplications(organisation, processes)) }
}

/** Has a request wait at the forum, once it has loaded its session, for as long as something else is done. */
async function meanwhile(visitor: Visitor, forum: Site, path: string, run: () => Promise<unknown>): Promise<Seen> {
  const gate = newSessionId()
  const slow = visitor.get(forum, `${path}?gate=${gate}`)
  const stranger = new Visitor()
  await stranger.get(forum, `/reached?gate=${gate}`)
  await run()
  await stranger.get(forum, `/open?gate=${gate}`)
  return slow
}

/** Whom each of these sites takes the visitor for. */
async function known(visitor: Visitor, sites: readonly Site[]): Promise<string[]> {
  return Promise.all(sites.map(site => visitor.whoIs(site)))
}

async function logIn(site: Site, username: string, visitor = new Visitor()): Promise<Visitor> {
  const { status } = await visitor.get(site, `/login?u=${username}`)
  if (status !== 200) throw new Error(`${username} could not log in: ${status}`)
  return visitor
}

/** What a test keeps in the store as another application would, and the browser that has its cookie. */
async function stored(t: ExecutionContext, { place }: Organisation, data: unknown) {
  const store = (await openPlace(t, place)) as SessionStore
  const id = newSessionId()
  const record = { data: data as never, user: null, expiresAt: Date.now() + 3_600_000 }
  await store.create(storeId(id), record)
  const browser = (site: Site) => {
    const visitor = new Visitor()
    visitor.take(`sid=${signed(id, 'id', 'sid', KEY)}; Path=/`, site)
    return visitor
  }
  return { browser, data: async () => (await store.read(storeId(id)))!.data }
}

for (const kind of PLACES) {
  test(`X4: ${kind}: a login at one application holds at the other, and a logout at any holds at all at the next request.`, async t => {
    const { all, hire } = await start(kind)
    const { key } = await hire('ada')
    for (const [begun, site] of all.entries()) {
      const visitor = await logIn(site, 'ada')
      const copy = visitor.copy()
      t.deepEqual(await known(visitor, all), [key, key, key])
      t.is((await visitor.get(all[(begun + 1) % 3]!, '/logout')).status, 200)
      t.deepEqual(visitor.kept, [])
      t.deepEqual(await known(copy, all), ['', '', ''])
    }
  })

  test(`X4: ${kind}: logoutEverywhere, a new password and a deactivation at one application end the other sessions at all.`, async t => {
    const { all, shop, forum, hire } = await start(kind)
    for (const [index, path] of ['/everywhere', '/password', '/deactivate'].entries()) {
      await hire(`person-${index}`)
      const [here, there] = [await logIn(shop, `person-${index}`), await logIn(forum, `person-${index}`)]
      t.is((await here.get(shop, path)).status, 200)
      t.deepEqual(await known(there, all), ['', '', ''], path)
      t.deepEqual(await known(here, all), ['', '', ''], path)
    }
    const [here, there] = [await logIn(shop, 'staff-kim'), await logIn(forum, 'staff-kim')]
    await here.get(forum, '/everywhere?keep')
    t.deepEqual(await known(here, all), Array(3).fill('staff:staff-kim'), 'the one that it was asked by')
    t.deepEqual(await known(there, all), ['', '', ''])
  })

  test(`X4: S2: ${kind}: of ${scaled(180)} races of a request at one application with the end of its session at another none revives it or undoes a newer login.`, async t => {
    t.timeout(LONG)
    const { all, shop, shopToo, forum } = await start(kind)
    const found = { revived: 0, undone: 0, cookies: 0, failed: 0 }
    await batches(scaled(180), async index => {
      const visitor = await logIn(shop, `staff-${index}`)
      await visitor.get(shopToo, '/set?mark=old')
      const old = visitor.copy()
      const slow = SLOW_PATHS[index % SLOW_PATHS.length]!
      const end = ['/logout', '/null', '/everywhere'][Math.floor(index / 6) % 3]!
      const again = (index + Math.floor(index / 6)) % 2 === 0
      const { status, setCookies } = await meanwhile(visitor, forum, slow, async () => {
        await visitor.get(index % 2 === 0 ? shop : shopToo, end)
        if (again) await logIn(shopToo, `staff-again-${index}`, visitor)
      })
      if (status !== 200) found.failed++
      found.cookies += setCookies.length
      if ((await known(old, all)).some(key => key !== '')) found.revived++
      if ((await old.get(forum, '/values')).text !== '{}') found.revived++
      if (again && (await known(visitor, all)).some(key => key !== `staff:staff-again-${index}`)) found.undone++
    })
    t.deepEqual(found, { revived: 0, undone: 0, cookies: 0, failed: 0 })
  })

  test(`X4: ${kind}: the control of the races: koa-session alone on the same place brings sessions back.`, async t => {
    const { shop, forum } = await startApplications(await start(kind), processes, { by: 'koa-session' })
    let revived = 0
    await batches(10, async () => {
      const visitor = new Visitor()
      await visitor.get(shop, '/set?mark=old')
      const old = visitor.copy()
      await meanwhile(visitor, forum, '/slow/property', () => visitor.get(shop, '/null'))
      if ((await old.get(shop, '/values')).text !== '{}') revived++
    })
    t.true(revived > 0, `${revived} of 10`)
  })

  test(`X4: S6: ${kind}: what two applications store in one session at once is all kept.`, async t => {
    const { all, shop, forum } = await start(kind)
    const visitor = await logIn(shop, 'staff-writer')
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`)
    await Promise.all(keys.map((key, index) => visitor.get(all[index % 3]!, `/set?${key}=${key}`)))
    t.deepEqual((await visitor.get(forum, '/values')).json, Object.fromEntries(keys.map(key => [key, key])))
  })

  test(`X4: ${kind}: an application keeps the session keys of another, also those that its own session could not hold.`, async t => {
    const organisation = await start(kind)
    const { all, shop, forum } = organisation
    const foreign = {
      ...{ basket: { lines: [{ of: 'tea', count: 2 }, null], note: '☃' }, version: 3, empty: {}, no: null },
      ...{ length: 7, populated: 'text', maxAge: [1], isNew: { deep: true }, save: 'x', constructor: 'y', toString: 1 },
      ...{ _x: { y: [1, 2] }, _flash: 'saved', _expire: 'text', _maxAge: 5 },
    }
    const { browser, data } = await stored(t, organisation, { _created: Date.now(), ...foreign })
    const visitor = browser(shop)
    const shown = { basket: foreign.basket, version: 3, empty: {}, no: null }
    t.deepEqual((await visitor.get(forum, '/values')).json, shown)
    for (const [index, path] of ['/set?a=1', '/slow/save', '/slow/update', '/remove?key=a'].entries()) {
      t.is((await visitor.get(all[index % 3]!, path)).status, 200, path)
      const { _created, mark, a, ...kept } = await data()
      t.deepEqual(kept, foreign, path)
    }
    await visitor.get(forum, '/remove?key=version')
    t.deepEqual((await visitor.get(shop, '/values')).json, {
      basket: foreign.basket,
      empty: {},
      no: null,
      mark: 'written',
    })

    // regenerate() and a login take them along to the new id.
    await visitor.get(forum, '/slow/regenerate')
    await logIn(forum, 'staff-mover', visitor)
    t.like((await visitor.get(shop, '/values')).json, { basket: foreign.basket, empty: {} })
    const store = (await openPlace(t, organisation.place)) as SessionStore
    const [id = ''] = visitor
      .cookieFor(new URL(`http://127.0.0.1:${shop.port}/`))
      .slice('sid='.length)
      .split('.')
    t.like((await store.read(storeId(id)))!.data, { _x: foreign._x, length: 7, maxAge: [1] })
  })

  test(`X4: ${kind}: a user whose backend one application does not know is a guest there, and stays logged in at the other whatever is stored.`, async t => {
    const { shop, shopToo, forum } = await start(kind)
    const visitor = await logIn(shop, 'partners-eve')
    await visitor.get(shop, '/set?secret=of+eve')
    for (const path of ['/who', '/set?note=1', '/slow/save', '/slow/update', '/slow/replace', '/everywhere']) {
      const { status, setCookies } = await visitor.get(forum, path)
      t.deepEqual([status, setCookies], [200, []], path)
      t.is(await visitor.whoIs(shopToo), 'partners:partners-eve', path)
    }
    t.like((await visitor.get(forum, '/who')).json, { key: '', session: { mark: 'written' } })
    t.deepEqual((await visitor.get(shop, '/values')).json, { secret: 'of eve' })
    await visitor.get(forum, '/slow/regenerate')
    t.like((await visitor.get(shop, '/who')).json, { key: 'partners:partners-eve', session: { secret: 'of eve' } })
  })

  test(`X4: S1: ${kind}: who logs in where the session is a guest's takes along what was the guest's, and the other login has ended.`, async t => {
    const { all, shop, forum } = await start(kind)
    const visitor = await logIn(shop, 'partners-eve')
    await visitor.get(shop, '/set?secret=of+eve')
    await visitor.get(forum, '/set?basket=tea')
    const old = visitor.copy()
    await logIn(forum, 'staff-mo', visitor)
    t.deepEqual(await known(visitor, all), Array(3).fill('staff:staff-mo'))
    t.deepEqual((await visitor.get(shop, '/values')).json, { basket: 'tea' })
    t.deepEqual(await known(old, all), ['', '', ''])

    const guest = await logIn(forum, 'guests-ina')
    t.deepEqual(await known(guest, all), ['', '', 'guests:guests-ina'])
    const copy = guest.copy()
    await guest.get(shop, '/logout')
    t.deepEqual(await known(copy, all), ['', '', ''], 'a logout at one holds at all')
    const another = await logIn(forum, 'guests-ina')
    const before = another.copy()
    await another.get(shop, '/null')
    t.deepEqual(await known(before, all), ['', '', ''])
  })

  test(`X4: ${kind}: each application has profiles of its own of the shared users, and detached users keep their attributes.`, async t => {
    const { shop, forum, own, hire } = await start(kind)
    const { key } = await hire('grace')
    await own.shop('shop').insert({ user_key: key, town: 'York' })
    await own.forum('forum').insert([
      { user_key: key, motto: 'Always' },
      { user_key: 'staff:staff-jo', motto: 'Never' },
    ])
    const grace = await logIn(shop, 'grace')
    t.like((await grace.get(shop, '/who')).json, {
      key,
      username: 'grace',
      kinds: ['isCustomer'],
      profile: { town: 'York' },
    })
    t.like((await grace.get(forum, '/who')).json, { key, kinds: ['isMember'], profile: { motto: 'Always' } })
    const jo = await logIn(forum, 'staff-jo')
    const detached = {
      key: 'staff:staff-jo',
      username: 'staff-jo of us',
      attributes: { office: { floor: 3, rooms: ['a', 'b'] } },
      may: ['prices.change', 'posts.remove'],
    }
    t.like((await jo.get(forum, '/who')).json, { ...detached, kinds: ['isMember'], profile: { motto: 'Never' } })
    t.like((await jo.get(shop, '/who')).json, { ...detached, kinds: [], profile: null })
  })
}
