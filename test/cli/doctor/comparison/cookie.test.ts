import test from 'ava'
import { type CookieOptions, sessions } from 'koa-strata'
import { inspect } from '../../../../lib/cli/doctor/app.ts'
import { checkOwnCookies } from '../../../../lib/cli/doctor/cookies.ts'
import { compared, deployed, deployment, drawn, KEYS } from '../deployment.ts'

const [SHOP, FORUM] = ['https://shop.example.org/', 'https://forum.example.org/']
const SHARED = { domain: 'example.org', secure: true } as const
const site = (cookie: CookieOptions, url: string | null) => deployment({ cookie, url })

/** What is said of a forum's cookie beside that of the shop. */
async function look(
  forum: CookieOptions,
  shop: CookieOptions,
  { own = FORUM, other = SHOP }: { own?: string | null; other?: string | null } = {},
) {
  return compared(site(forum, own), (await drawn(site(shop, other))).card, 'shared cookie')
}

test('One cookie for both is told with its traits.', async t => {
  const found = await look(SHARED, SHARED)
  t.like(found, { length: 1, 0: { status: 'ok' } })
  t.is(found[0]?.message, 'shop: both have __Secure-sid; Domain=example.org; Path=/; Secure; SameSite=Lax.')
  t.like(await look(SHARED, { ...SHARED, domain: 'Example.ORG' }), { length: 1, 0: { status: 'ok' } })
  t.like(await look(SHARED, SHARED, { own: 'https://example.org/forum' }), { length: 1, 0: { status: 'ok' } })
})

test('Each trait that makes browsers keep two cookies is a problem, whichever side has it.', async t => {
  const cases: [change: CookieOptions, said: RegExp][] = [
    [{ name: 'login' }, /the cookie's name is __Secure-sid here and __Secure-login there: browsers keep two/],
    [{ domain: undefined }, /Domain is example\.org here and none there/],
    [{ domain: 'shop.example.org' }, /Domain is example\.org here and shop\.example\.org there/],
    [{ path: '/shop' }, /Path is \/ here and \/shop there/],
    [{ secure: false }, /Secure is set here and not set there/],
    [{ partitioned: true }, /Partitioned is not set here and set there/],
  ]
  for (const [change, said] of cases) {
    const found = await look(SHARED, { ...SHARED, ...change })
    t.like(found, { length: 1, 0: { status: 'problem' } }, String(said))
    t.regex(found[0]!.message, said)
    t.truthy(found[0]!.advice)
    t.like(await look({ ...SHARED, ...change }, SHARED), { length: 1, 0: { status: 'problem' } }, String(said))
  }
  t.is((await look(SHARED, { name: 'x', path: '/x', secure: false })).length, 4)
})

test('Another SameSite is a warning.', async t => {
  const found = await look(SHARED, { ...SHARED, sameSite: 'strict' })
  t.like(found, { length: 1, 0: { status: 'warning' } })
  t.regex(found[0]!.message, /SameSite=Lax here and Strict there/)
})

test('C9: a cookie domain that does not cover the host of the site, or of the other one, is told by the doctor', async t => {
  const own = (cookie: CookieOptions, url: string) =>
    checkOwnCookies(inspect(deployed([sessions({ keys: KEYS, cookie })]).app), {
      isProduction: true,
      url: new URL(url),
    })
  t.like(own(SHARED, FORUM), { length: 1, 0: { status: 'ok' } })
  for (const url of ['https://example.com/', 'https://badexample.org/', 'https://org/']) {
    const found = own(SHARED, url)
    t.like(found, { length: 1, 0: { status: 'problem' } }, url)
    t.regex(found[0]!.message, /has the Domain example\.org, which is not the site's/)

    const beside = await look(SHARED, SHARED, { other: url })
    t.like(beside, { length: 1, 0: { status: 'problem' } }, url)
    t.is(beside[0]!.message, `shop: the cookie's Domain example.org does not cover its host ${new URL(url).hostname}.`)
  }
})

test('A host that is not known is told so.', async t => {
  const found = await look(SHARED, SHARED, { other: null })
  t.deepEqual(
    found.map(({ status }) => status),
    ['ok', 'skipped'],
  )
})

test('A cookie without a domain is one for applications on one host alone.', async t => {
  const own = { secure: true }
  t.like(await look(own, own), { length: 1, 0: { status: 'problem' } })
  t.like(await look(own, own, { other: 'https://forum.example.org:8443/shop' }), { length: 1, 0: { status: 'ok' } })
  for (const unknown of [{ own: null }, { other: null }])
    t.like(await look(own, own, unknown), { length: 1, 0: { status: 'warning' } })
})

test('A cookie that browsers do not send to a site, for its path or its scheme, is a problem.', async t => {
  const below = { ...SHARED, path: '/apps' }
  for (const url of ['https://shop.example.org/apps', 'https://shop.example.org/apps/shop'])
    t.like(await look(below, below, { own: url, other: url }), { length: 1, 0: { status: 'ok' } }, url)
  const [path] = await look(below, below, { own: `${FORUM}apps/`, other: 'https://shop.example.org/apps2' })
  t.like(path, {
    status: 'problem',
    message: "shop: the cookie's Path is /apps, and the site is at /apps2: browsers do not send it there.",
  })
  const [scheme] = await look(SHARED, SHARED, { own: 'http://forum.example.org' })
  t.like(scheme, { status: 'problem' })
  t.regex(scheme!.message, /here: the cookie is Secure, and the site is at http:\/\/forum\.example\.org/)
})
