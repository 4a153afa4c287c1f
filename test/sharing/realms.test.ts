import test from 'ava'
import Koa, { type Context, type Middleware } from 'koa'
import mount from 'koa-mount'
import { OptionInvalid, requireLogin, sessions, stack } from 'koa-strata'
import { descriptionsWithin } from '../../lib/described.ts'
import type { SessionsDescription } from '../../lib/sessions/layer.ts'
import { atHost, atPath } from '../../lib/sharing/realm-matches.ts'
import { type Realm, realms } from '../../lib/sharing/realms.ts'
import { startApp } from '../sessions/app.ts'
import { identity, pages } from './realm-app.ts'

const plain: Middleware = async (_ctx, next) => next()

/** Says that a request came this way. */
function mark(name: string): Middleware {
  return async (ctx, next) => {
    ctx.append('X-Through', name)
    await next()
  }
}

const realmOf = (ctx: object) => String((ctx as Context).realm)

test('A request goes through the stack of the first realm that matches, and no other.', async t => {
  const asked: string[] = []
  const match = (name: string, answer: (ctx: Context) => boolean) => (ctx: unknown) => {
    asked.push(name)
    return answer(ctx as Context)
  }
  const layer = realms({
    admin: { match: match('admin', ctx => ctx.path.startsWith('/a')), stack: mark('admin') },
    api: { match: match('api', ctx => ctx.path.endsWith('/api')), stack: stack(mark('api'), mark('too')) },
    site: { stack: mark('site') },
  })
  const app = await startApp(t, {
    layers: [layer],
    handlers: { '/a/api': realmOf, '/b/api': realmOf, '/': realmOf },
  })
  const ask = async (path: string) => {
    asked.length = 0
    const { text, headers } = await app.browser().get(path)
    return [text, headers['x-through'], asked.join()]
  }
  t.deepEqual(await ask('/a/api'), ['admin', 'admin', 'admin'])
  t.deepEqual(await ask('/b/api'), ['api', 'api, too', 'admin,api'])
  t.deepEqual(await ask('/'), ['site', 'site', 'admin,api'])
})

test('Where no realm matches the request goes on, and what needs a session or a user says LayerMissing.', async t => {
  const layer = realms({ admin: { match: atPath('/admin'), stack: identity('admin') } })
  const guard = requireLogin()
  const app = await startApp(t, {
    layers: [layer],
    handlers: {
      '/': ctx => String(ctx.realm),
      '/account': ctx => guard(ctx as never, async () => {}),
      '/admin/account': ctx => guard(ctx as never, async () => {}),
    },
  })
  t.is((await app.browser().get('/')).text, 'null')
  t.is((await app.browser().get('/account')).status, 500)
  t.is(app.errors[0]!.code, 'LAYER_MISSING')
  t.is((await app.browser().get('/admin/account')).status, 401)
})

test('A realm’s own routes are reached in that realm alone, and what stands behind realms() in each.', async t => {
  const route = (name: string): Middleware => {
    return async (ctx, next) => {
      if (!ctx.path.endsWith(`/${name}`)) return next()
      ctx.body = `${name} of ${ctx.realm}`
    }
  }
  const app = await startApp(t, {
    layers: [
      realms({
        admin: { match: atPath('/admin'), stack: stack(plain, route('staff')) },
        site: { stack: stack(plain, route('shelf')) },
      }),
      route('common'),
    ],
  })
  const ask = async (path: string) => (await app.browser().get(path)).text
  t.is(await ask('/admin/staff'), 'staff of admin')
  t.is(await ask('/shelf'), 'shelf of site')
  t.is(await ask('/staff'), 'Not Found')
  t.is(await ask('/admin/shelf'), 'Not Found')
  t.is(await ask('/admin/common'), 'common of admin')
  t.is(await ask('/common'), 'common of site')
})

test('Within another realm the inner name holds, and the outer one again behind it; whoever is outside learns it afterwards.', async t => {
  const seen: unknown[] = []
  const note: Middleware = async (ctx, next) => {
    seen.push(ctx.realm)
    await next().finally(() => seen.push(ctx.realm))
  }
  const inner = realms({ drafts: { match: ctx => ctx.path.endsWith('/drafts'), stack: note } })
  const app = await startApp(t, {
    layers: [note, realms({ admin: { match: atPath('/admin'), stack: stack(note, inner) } })],
    handlers: {
      '/admin/drafts': realmOf,
      '/admin/all': realmOf,
      '/admin/broken': () => {
        throw new Error('broken')
      },
    },
  })
  t.is((await app.browser().get('/admin/drafts')).text, 'drafts')
  t.deepEqual(seen.splice(0), [undefined, 'admin', 'drafts', 'drafts', 'admin', 'admin'])
  t.is((await app.browser().get('/admin/all')).text, 'null')
  t.deepEqual(seen.splice(0), [undefined, 'admin', 'admin', 'admin'])
  t.is((await app.browser().get('/admin/broken')).status, 500)
  t.deepEqual(seen.splice(0), [undefined, 'admin', 'admin', 'admin'])
})

test('A realm within a realm has its own session and user, and the outer ones are there again behind it.', async t => {
  const seen: string[] = []
  const note: Middleware = async (ctx, next) => {
    const say = () => seen.push(`${ctx.realm} ${ctx.state.user.key}`)
    say()
    await next().finally(say)
  }
  const vault = realms({ vault: { match: atPath('/admin/vault'), stack: stack(identity('vault'), note) } })
  const layer = realms({ admin: { match: atPath('/admin'), stack: stack(identity('admin'), note, vault) } })
  const browser = (await startApp(t, { layers: [layer, pages] })).browser()
  await browser.get('/admin/login?u=alice')
  t.deepEqual(seen.splice(0), ['admin ', 'admin admin:alice'])
  const { json } = await browser.get('/admin/vault/login?u=bob')
  t.deepEqual([json.realm, json.key], ['vault', 'vault:bob'])
  t.deepEqual(seen.splice(0), ['admin admin:alice', 'vault ', 'vault vault:bob', 'admin admin:alice'])
})

test('With koa-mount within a realm, and with realms() within what is mounted, each request is its realm’s.', async t => {
  const shop = new Koa()
  shop.use(realms({ till: { match: atPath('/admin'), stack: identity('till') }, shop: { stack: identity('shop') } }))
  shop.use(pages)
  const app = await startApp(t, {
    layers: [
      mount('/shop', shop),
      realms({
        admin: { match: atPath('/admin'), stack: stack(identity('admin'), mount('/admin', pages)) },
        site: { stack: identity('site') },
      }),
      pages,
    ],
  })
  const browser = app.browser()
  const places = { admin: '/admin', site: '', till: '/shop/admin', shop: '/shop' }
  for (const place of Object.values(places)) await browser.get(`${place}/login?u=alice`)
  t.deepEqual([...browser.cookies.keys()].sort(), Object.keys(places).sort())
  for (const [name, place] of Object.entries(places)) {
    const { realm, key } = (await browser.get(`${place}/me`)).json
    t.deepEqual([realm, key], [name, `${name}:alice`])
  }
  await browser.get('/shop/admin/logout')
  t.deepEqual([...browser.cookies.keys()].sort(), ['admin', 'shop', 'site'])
  t.is((await browser.get('/shop/me')).json.key, 'shop:alice')
  t.is((await browser.get('/admin/me')).json.key, 'admin:alice')
})

test('By hosts each request is its realm’s, whatever the port, the case and a dot at the end.', async t => {
  const app = await startApp(t, {
    layers: [
      realms({
        admin: { match: atHost('admin.example'), stack: identity('admin') },
        site: { match: atHost('www.example', 'example'), stack: identity('site') },
      }),
      async (ctx: Context, next: () => Promise<void>) => {
        if (ctx.realm === null) ctx.throw(421)
        await next()
      },
      pages,
    ],
  })
  const browser = app.browser()
  const ask = (path: string, host: string) => browser.get(path, { host })
  await ask('/login?u=alice', 'admin.example')
  await ask('/login?u=bob', 'www.example')
  for (const host of ['admin.example', 'ADMIN.example:8080', 'admin.example.'])
    t.is((await ask('/me', host)).json.key, 'admin:alice', host)
  for (const host of ['www.example', 'example', 'Example.:443'])
    t.is((await ask('/me', host)).json.key, 'site:bob', host)
  for (const host of ['admin.example.evil', 'www.admin.example', 'admin.example/x', '', '[::1]'])
    t.is((await ask('/me', host)).status, 421, host)
  await ask('/logout', 'admin.example')
  t.is((await ask('/me', 'www.example')).json.key, 'site:bob')
})

test('What `match` throws is the request’s error, and an answer that is neither true nor false is refused: no realm is guessed.', async t => {
  const bad: Record<string, () => unknown> = {
    '/thrown': () => {
      throw new Error('of match')
    },
    '/promise': async () => false,
    '/text': () => 'yes',
    '/nothing': () => {},
  }
  const app = await startApp(t, {
    layers: [
      realms({
        admin: { match: ctx => bad[ctx.path]!() as boolean, stack: mark('admin') },
        site: { stack: mark('site') },
      }),
      pages,
    ],
  })
  for (const path of Object.keys(bad)) {
    const { status, headers } = await app.browser().get(path)
    t.deepEqual([status, headers['x-through']], [500, undefined], path)
  }
  const refused = "realms(): option 'admin.match' must answer true or false, at once and not with a promise."
  t.deepEqual(
    app.errors.map(({ message }) => message),
    ['of match', refused, refused, refused],
  )
})

const wrong: [title: string, given: unknown, option: string, message: RegExp][] = [
  ['nothing', undefined, 'realms', /must be an object of at least one realm/],
  ['a list', [{ stack: plain }], 'realms', /must be an object/],
  ['no realm', {}, 'realms', /at least one/],
  [
    'a number for a name, which JavaScript would put first',
    { site: { stack: plain }, 1: { stack: plain } },
    '1',
    /is no name/,
  ],
  ['an empty name', { '': { stack: plain } }, '', /is no name/],
  ['something else than a realm', { site: plain }, 'options', /must be an object/],
  ['a misspelt option', { site: { stack: plain, matches: () => true } }, 'matches', /^realms\(\) site: .*is unknown/],
  ['no stack', { site: {} }, 'site.stack', /must be a stack\(\)/],
  ['layers that are not stacked', { site: { stack: [plain] } }, 'site.stack', /must be a stack\(\)/],
  ['a path for a match', { admin: { match: '/admin', stack: plain } }, 'admin.match', /must be a function/],
  [
    'a realm that leaves nothing to the next',
    { site: { stack: plain }, admin: { match: () => true, stack: plain } },
    'site.match',
    /'admin' behind it gets none. Put 'site' last/,
  ],
]

for (const [title, given, option, message] of wrong) {
  test(`realms() refuses ${title}`, t => {
    const error = t.throws(() => realms(given as Record<string, Realm>), { instanceOf: OptionInvalid, message })
    t.is(error?.option, option)
  })
}

test('What it was given may change afterwards, and it does not.', async t => {
  const given: Record<string, Realm> = { site: { stack: mark('site') } }
  const layer = realms(given)
  given.site!.stack = mark('changed')
  given.site!.match = () => false
  const app = await startApp(t, { layers: [layer], handlers: { '/': realmOf } })
  const { text, headers } = await app.browser().get('/')
  t.deepEqual([text, headers['x-through']], ['site', 'site'])
})

test('The sessions in it are found by who looks for them, in stacks and realms within realms too.', t => {
  const one = (name: string) => sessions({ cookie: { name } })
  const layer = realms({
    a: { match: () => false, stack: stack(plain, stack(one('a'))) },
    b: { match: () => false, stack: realms({ c: { stack: one('c') } }) },
    d: { stack: plain },
  })
  const found = descriptionsWithin<SessionsDescription>('sessions()', stack(layer))
  t.deepEqual(
    found.map(({ cookie }) => cookie.name),
    ['a', 'c'],
  )
})
