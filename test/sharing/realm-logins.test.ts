import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import Koa, { type Middleware } from 'koa'
import compose from 'koa-compose'
import mount from 'koa-mount'
import { createSession } from 'koa-session'
import { memoryStore } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'
import { atHost, atPath } from '../../lib/sharing/realm-matches.ts'
import { realms } from '../../lib/sharing/realms.ts'
import { type DatabaseName, migratedDatabase } from '../database/servers.ts'
import { type Browser, KEY, OTHER_KEY, startApp, type TestApp } from '../sessions/app.ts'
import { directory } from '../users/app.ts'
import { identity, pages } from './realm-app.ts'

const PASSWORDS = { staff: 'of Ada among the staff', readers: 'of Ada the reader, another' }

/** Two databases, each with an Ada who is its first user; she is staff in one. */
async function databases(t: ExecutionContext, name: DatabaseName): Promise<{ own: Knex; shared: Knex }> {
  const [{ knex: own }, { knex: shared }] = await Promise.all([migratedDatabase(t, name), migratedDatabase(t, name)])
  await Promise.all([
    sqlUsers(own).create({ username: 'Ada', password: PASSWORDS.staff, isStaff: true }),
    sqlUsers(shared).create({ username: 'Ada', password: PASSWORDS.readers }),
  ])
  return { own, shared }
}

/** What the other application has too: the shared database, its keys and its cookie. */
function readers(shared: Knex) {
  return identity('sid', { keys: [KEY], store: sqlStore(shared), backend: sqlUsers(shared) })
}

/** A site whose readers are another application's, and whose /admin has users of its own: by path, and by host as well. */
async function startMagazine(t: ExecutionContext, name: DatabaseName, backend = 'staff') {
  const { own, shared } = await databases(t, name)
  const admin = identity('admin', {
    keys: [OTHER_KEY],
    store: sqlStore(own),
    backend: sqlUsers(own, { name: backend }),
  })
  const app = await startApp(t, {
    layers: [
      realms({
        admin: { match: atPath('/admin'), stack: admin },
        desk: { match: atHost('admin.example'), stack: admin },
        site: { stack: readers(shared) },
      }),
      pages,
    ],
  })
  return { app, own, shared }
}

/** Who a browser is in a realm, and what its session there holds. */
async function state(browser: Browser): Promise<{ admin: string; site: string }> {
  const [admin, site] = [(await browser.get('/admin/me')).json, (await browser.get('/me')).json]
  return { admin: `${admin.key} ${admin.count}`, site: `${site.key} ${site.count}` }
}

/** A walk in which each of these follows each once, itself too: a de Bruijn sequence, closed. */
function eachAfterEach(steps: readonly string[]): string[] {
  const pairs = steps.flatMap((one, index) => [one, ...steps.slice(index + 1).flatMap(other => [one, other])])
  return [...pairs, steps[0]!]
}

const ACTIONS = { login: 'login', count: 'count', logout: 'logout', everywhere: 'everywhere', renew: 'everywhere?keep' }

for (const name of ['sqlite', 'mariadb'] as const) {
  test(`X6: what is done in one realm leaves the other alone, cookie and all, in every order: ${name}`, async t => {
    const { app } = await startMagazine(t, name)
    const browser = app.browser()
    const places = { admin: { path: '/admin', key: 'staff:1' }, site: { path: '', key: 'sql:1' } }
    const expected = { admin: { key: '', count: 0 }, site: { key: '', count: 0 } }
    const steps = Object.keys(places).flatMap(realm => Object.keys(ACTIONS).map(action => `${realm} ${action}`))
    const walk = eachAfterEach(steps)
    t.is(new Set(walk.slice(1).map((step, index) => `${walk[index]} ${step}`)).size, steps.length ** 2)
    for (const step of walk) {
      const [realm, action] = step.split(' ') as ['admin' | 'site', keyof typeof ACTIONS]
      const { path, key } = places[realm]
      const other = realm === 'admin' ? 'sid' : 'admin'
      const before = browser.cookies.get(other)
      const asked = action === 'login' ? `enter?as=${key}` : ACTIONS[action]
      const { status, setCookies } = await browser.get(`${path}/${asked}`)
      t.is(status, 200, step)
      t.is(browser.cookies.get(other), before)
      t.false(setCookies.some(line => line.startsWith(`${other}=`)))
      const is = expected[realm]
      if (action === 'login') is.key = key
      else if (action === 'count') is.count += 1
      else if (action === 'logout' || (action === 'everywhere' && is.key)) Object.assign(is, { key: '', count: 0 })
      t.deepEqual(
        await state(browser),
        {
          admin: `${expected.admin.key} ${expected.admin.count}`,
          site: `${expected.site.key} ${expected.site.count}`,
        },
        step,
      )
    }
    t.deepEqual(app.errors, [])
  })

  test(`X4: who logs in to the application whose users they are is known here, and who logs out there or here is out in both: ${name}`, async t => {
    const { app, shared } = await startMagazine(t, name)
    const other = await startApp(t, { layers: [readers(shared), pages] })
    // Both are on one host, or below the domain of the cookie: a browser has one jar for them.
    const there = other.browser()
    const here = () => {
      const browser = app.browser()
      for (const [cookie, value] of there.cookies) browser.cookies.set(cookie, value)
      return browser
    }
    await there.get(`/login?u=Ada&p=${encodeURIComponent(PASSWORDS.readers)}`)
    const known = here()
    t.deepEqual(await state(known), { admin: ' 0', site: 'sql:1 0' })
    await known.get('/count')
    t.is((await there.get('/me')).json.count, 1)
    await known.get('/admin/enter?as=staff:1')
    await there.get('/logout')
    t.deepEqual(await state(known), { admin: 'staff:1 0', site: ' 0' })

    await there.get('/enter?as=sql:1')
    await here().get('/logout')
    t.is((await there.get('/me')).json.key, '')
  })
}

test('X6: logging out everywhere in one realm ends no session of the other, whose user has the same id', async t => {
  const { app } = await startMagazine(t, 'sqlite')
  const [laptop, phone] = [app.browser(), app.browser()]
  for (const browser of [laptop, phone]) {
    await browser.get('/admin/enter?as=staff:1')
    await browser.get('/enter?as=sql:1')
  }
  await laptop.get('/admin/everywhere?keep')
  t.deepEqual(await state(laptop), { admin: 'staff:1 0', site: 'sql:1 0' })
  t.deepEqual(await state(phone), { admin: ' 0', site: 'sql:1 0' })
  await phone.get('/everywhere')
  t.deepEqual(await state(laptop), { admin: 'staff:1 0', site: ' 0' })
  t.deepEqual(await state(phone), { admin: ' 0', site: ' 0' })
})

test('X3: the same name and id in both databases are two people, by password and by rights', async t => {
  const { app } = await startMagazine(t, 'sqlite', 'sql')
  const browser = app.browser()
  const login = async (path: string, password: string) =>
    (await browser.get(`${path}/login?u=Ada&p=${encodeURIComponent(password)}`)).status
  t.is(await login('/admin', PASSWORDS.readers), 401)
  t.is(await login('', PASSWORDS.staff), 401)
  t.is(await login('', PASSWORDS.readers), 200)
  t.is((await browser.get('/admin/me')).json.key, '', 'who is known to the site is nobody to the admin pages')
  t.is(await login('/admin', PASSWORDS.staff), 200)
  const [admin, site] = [(await browser.get('/admin/me')).json, (await browser.get('/me')).json]
  t.deepEqual([admin.key, admin.isStaff, site.key, site.isStaff], ['sql:1', true, 'sql:1', false])
  const swapped = { cookie: `admin=${browser.cookies.get('sid')}; sid=${browser.cookies.get('admin')}` }
  for (const path of ['/admin/me', '/me']) t.is((await browser.get(path, swapped)).json.key, '')
})

test('X6: by hosts it is the same.', async t => {
  const { app } = await startMagazine(t, 'sqlite')
  const browser = app.browser()
  const ask = async (path: string, host: string) => (await browser.get(path, { host })).json
  t.is((await ask('/enter?as=staff:1', 'admin.example')).realm, 'desk')
  await ask('/enter?as=sql:1', 'www.example')
  await ask('/logout', 'admin.example')
  t.is((await ask('/me', 'www.example')).key, 'sql:1')
  await ask('/enter?as=staff:1', 'admin.example')
  await ask('/logout', 'www.example')
  t.is((await ask('/me', 'admin.example')).key, 'staff:1')
})

/** Who one browser is after a login to the site and then one to the admin pages. */
async function afterBothLogins(app: TestApp): Promise<{ site: string; admin: string }> {
  const browser = app.browser()
  await browser.get('/login?u=alice')
  await browser.get('/admin/login?u=bob')
  return { site: (await browser.get('/me')).json.key, admin: (await browser.get('/admin/me')).json.key }
}

test('X6: the control: two layers of sessions with one cookie name, mounted by hand, log people out of each other', async t => {
  const layer = (name: string) => [
    identity('sid', { keys: [name === 'site' ? KEY : OTHER_KEY], backend: directory(name, { alice: {}, bob: {} }) }),
    pages,
  ]
  const byHand = await startApp(t, {
    layers: [mount('/admin', compose(layer('admin') as Middleware[])), ...layer('site')],
  })
  t.deepEqual(await afterBothLogins(byHand), { site: '', admin: 'admin:bob' })

  const [admin, site] = [identity('admin', { store: memoryStore() }), identity('site', { store: memoryStore() })]
  const inRealms = await startApp(t, {
    layers: [realms({ admin: { match: atPath('/admin'), stack: admin }, site: { stack: site } }), pages],
  })
  t.deepEqual(await afterBothLogins(inRealms), { site: 'site:alice', admin: 'admin:bob' })
})

/** An application with koa-session as it is set up by default, its store a Map of its own. */
function classic(name: string): Koa {
  const app = new Koa()
  app.keys = [KEY]
  const kept = new Map<string, unknown>()
  const store = {
    get: async (id: string) => kept.get(id),
    set: async (id: string, values: unknown) => void kept.set(id, structuredClone(values)),
    destroy: async (id: string) => void kept.delete(id),
  }
  app.use(createSession({ store }, app as never) as never)
  app.use(async ctx => {
    const session = ctx.session as Record<string, unknown>
    if (ctx.path.endsWith('/login')) session.key = `${name}:${ctx.query.u}`
    ctx.body = JSON.stringify({ key: session.key ?? '' })
  })
  return app
}

test('X6: the control: two applications with koa-session behind one host do so too', async t => {
  const [admin, site] = [classic('admin').callback(), classic('site').callback()]
  const front: Middleware = async ctx => {
    ctx.respond = false
    await (ctx.path.startsWith('/admin') ? admin : site)(ctx.req, ctx.res)
  }
  t.deepEqual(await afterBothLogins(await startApp(t, { layers: [front] })), { site: '', admin: 'admin:bob' })
})
