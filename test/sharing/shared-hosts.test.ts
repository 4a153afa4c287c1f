import test, { type ExecutionContext } from 'ava'
import type { CookieOptions } from 'koa-strata'
import { launchChromium } from '../clients/browser.ts'
import { heard } from '../heard.ts'
import { startApplication } from './shared-app.ts'
import { foundOrganisation } from './shared-organisation.ts'
import { type Site, Visitor } from './shared-visitor.ts'

interface Hosts {
  shop: Site
  forum: Site
}

/** The shop and the forum at addresses of their own. @param cookies what each makes its cookie of */
async function start(
  t: ExecutionContext,
  [shopOrigin, forumOrigin]: readonly [string?, string?],
  ...[cookie, forumCookie = cookie]: CookieOptions[]
): Promise<Hosts> {
  const { setting } = await foundOrganisation(t, 'file')
  const serve = async (name: 'shop' | 'forum', made: CookieOptions = {}, origin?: string): Promise<Site> => ({
    port: await startApplication(t, setting(name, { cookie: made })),
    ...(origin !== undefined && { origin }),
  })
  return { shop: await serve('shop', cookie, shopOrigin), forum: await serve('forum', forumCookie, forumOrigin) }
}

const HTTP = ['http://shop.example.test', 'http://forum.example.test'] as const
const HTTPS = ['https://shop.example.test', 'https://forum.example.test'] as const
const KIM = 'staff:staff-kim'

for (const [origins, secure, name] of [
  [HTTP, false, 'sid'],
  [HTTPS, true, '__Secure-sid'],
] as const) {
  test(`X4: C5: hosts of one domain share the one cookie ${name}, and each of them clears it for all.`, async t => {
    const { shop, forum } = await start(t, origins, { domain: 'example.test', secure })
    for (const [here, there] of [
      [shop, forum],
      [forum, shop],
    ] as const) {
      const visitor = new Visitor()
      await visitor.get(here, '/login?u=staff-kim')
      t.deepEqual(visitor.kept, [`${name}@.example.test`])
      t.is(await visitor.whoIs(there), KIM)
      // A login at the other one stands in its place.
      await visitor.get(there, '/login?u=staff-lou')
      t.deepEqual(visitor.kept, [`${name}@.example.test`])
      t.is(await visitor.whoIs(here), 'staff:staff-lou')
      await visitor.get(there, '/logout')
      t.deepEqual(visitor.kept, [])
      t.is(await visitor.whoIs(here), '')
    }
  })
}

test('X4: without a domain the cookie is the host’s own: the other host knows nobody, and ends nothing.', async t => {
  const { shop, forum } = await start(t, HTTPS, { secure: true })
  const visitor = new Visitor()
  await visitor.get(shop, '/login?u=staff-kim')
  t.deepEqual(visitor.kept, ['__Host-sid@shop.example.test'])
  t.is(await visitor.whoIs(forum), '')
  await visitor.get(forum, '/logout')
  t.is(await visitor.whoIs(shop), KIM)
})

test('X4: C6: where one application leaves the domain out, a browser may send two cookies of the name, and there is nobody until one goes.', async t => {
  const { shop, forum } = await start(t, HTTP, { domain: 'example.test' }, {})
  const told = heard(t, 'koa-strata:session-gone')
  const visitor = new Visitor()
  await visitor.get(forum, '/login?u=staff-kim')
  await visitor.get(shop, '/login?u=staff-kim')
  t.deepEqual(visitor.kept, ['sid@forum.example.test', 'sid@.example.test'])
  t.is(await visitor.whoIs(forum), '')
  t.is(told.at(-1)?.reason, 'duplicate-cookie')
  t.is(await visitor.whoIs(shop), KIM, 'and nothing was ended')
})

test('X4: two ports of one host share the cookie, since cookies know no ports.', async t => {
  const { shop, forum } = await start(t, [])
  const visitor = new Visitor()
  await visitor.get(shop, '/login?u=staff-kim')
  t.is(await visitor.whoIs(forum), KIM)
  await visitor.get(forum, '/logout')
  t.is(await visitor.whoIs(shop), '')
})

test('X4: a cookie with a path of its own stays below it, and an application elsewhere on the host knows nobody.', async t => {
  const { shop, forum } = await start(t, ['https://www.example.test', 'https://www.example.test'], {
    path: '/shop',
    secure: true,
  })
  const visitor = new Visitor()
  await visitor.get(shop, '/login?u=staff-kim')
  t.deepEqual(visitor.kept, ['__Secure-sid@www.example.test'])
  t.is(await visitor.whoIs(forum), '')
  t.not(visitor.cookieFor(new URL('https://www.example.test/shop/basket')), '')
  t.is(visitor.cookieFor(new URL('https://www.example.test/shopping')), '')
})

test('X4: Chromium keeps one __Secure- cookie for both hosts, and a logout at one logs out at the other.', async t => {
  const { shop, forum } = await start(t, [], { domain: 'example.localhost', secure: true })
  const chromium = await launchChromium()
  t.teardown(() => chromium.close())
  const context = await chromium.newContext()
  const page = await context.newPage()
  // Names below localhost lead to this machine, and its pages may set secure cookies over http.
  const look = async (host: string, { port }: Site, path: string) =>
    (await page.goto(`http://${host}.example.localhost:${port}${path}`))!.text()
  t.is(await look('shop', shop, '/login?u=staff-kim'), KIM)
  t.is(JSON.parse(await look('forum', forum, '/who')).key, KIM)
  await look('forum', forum, '/set?note=1')
  t.is(JSON.parse(await look('shop', shop, '/values')).note, '1')
  const sent = async () =>
    (await context.cookies())
      .filter(({ name }) => !name.endsWith('-device'))
      .map(({ name, domain, path, secure, httpOnly, sameSite }) => [name, domain, path, secure, httpOnly, sameSite])
  t.deepEqual(await sent(), [['__Secure-sid', '.example.localhost', '/', true, true, 'Lax']])
  await look('forum', forum, '/logout')
  t.deepEqual(await sent(), [])
  t.is(JSON.parse(await look('shop', shop, '/who')).key, '')
})
