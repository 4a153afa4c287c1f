import { posix } from 'node:path'
import Router from '@koa/router'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { Context, Middleware } from 'koa'
import mount from 'koa-mount'
import { OptionInvalid } from 'koa-strata'
import { atHost, atPath } from '../../lib/sharing/realm-matches.ts'
import { type Realm, realms } from '../../lib/sharing/realms.ts'
import { scaled } from '../scale.ts'
import { startApp, type TestApp } from '../sessions/app.ts'
import { send } from '../site.ts'

/** Says where a request ended, and in which realm. */
function reached(what: string): Middleware {
  return ctx => {
    ctx.body = `${what} as ${ctx.realm}`
  }
}

/** Servers of files: those that undo escapes or do not, and resolve what is relative or do not, on systems with either slash. */
const files: Middleware = async (ctx, next) => {
  let plain: string
  try {
    plain = decodeURIComponent(ctx.path)
  } catch {
    return ctx.throw(400)
  }
  const texts = [plain, plain.replaceAll('\\', '/')]
  const asked = [...texts, posix.normalize(ctx.path), ...texts.map(text => posix.normalize(text))]
  if (!asked.some(path => /^\/admin(\/|$)/i.test(path))) return next()
  ctx.body = `files as ${ctx.realm}`
}

/** An app behind whose realms anything below /admin can be reached that somebody might put there. */
function startPlaces(t: ExecutionContext, match: Realm['match']): Promise<TestApp> {
  const plain: Middleware = async (_ctx, next) => next()
  const router = new Router()
  router.get('/admin', reached('start'))
  router.get('/admin/users', reached('users'))
  router.get('/admin/:page/:part', reached('parts'))
  const prefixed = new Router({ prefix: '/admin' })
  prefixed.get('/settings', reached('settings'))
  prefixed.get('/*rest', reached('rest'))
  return startApp(t, {
    layers: [
      realms({ admin: { match, stack: plain }, site: { stack: plain } }),
      router.routes(),
      prefixed.routes(),
      mount('/admin', reached('mounted')),
      mount('/admin/', reached('mounted below')),
      files,
      reached('site'),
    ],
  })
}

const places: [path: string, answer: string][] = [
  ['/admin', 'start as admin'],
  ['/admin/', 'start as admin'],
  ['/admin?x=/site', 'start as admin'],
  ['/admin#x', 'start as admin'],
  ['/ADMIN', 'start as admin'],
  ['/admin/users', 'users as admin'],
  ['/Admin/Users/', 'users as admin'],
  ['/admin/settings', 'settings as admin'],
  ['/admin/../x', 'parts as admin'],
  ['/admin/%2e%2e/x', 'parts as admin'],
  ['/admin/..', 'rest as admin'],
  ['/admin//users', 'rest as admin'],
  ['http://elsewhere.example/admin/users', 'users as admin'],
  ['http://elsewhere.example/ADMIN/users', 'users as admin'],
  ['/%61dmin', 'files as admin'],
  ['/%41DMIN/users', 'files as admin'],
  ['//admin/users', 'files as admin'],
  ['//elsewhere.example/admin', 'site as site'],
  ['/./admin', 'files as admin'],
  ['/x/../admin/users', 'files as admin'],
  ['/x/%2e%2e/admin', 'files as admin'],
  ['/x%2f..%2fadmin', 'files as admin'],
  ['/admin%2fusers', 'files as admin'],
  ['/%5cadmin', 'files as admin'],
  ['/admin%5cusers', 'files as admin'],
  ['/%61dmin/%5c..%5c..', 'files as admin'],
  ['/x/..%2fadmin/%5c..%5c..', 'files as admin'],
  ['/%61dmin/../x', 'files as admin'],
  ['/x/../admin/%2e%2e/y', 'files as admin'],
  ['/administrators', 'site as site'],
  ['/admin;x', 'site as site'],
  ['/admin.html', 'site as site'],
  ['/x/admin', 'site as site'],
  ['/x?/admin', 'site as site'],
  ['/', 'site as site'],
  ['/%E0/admin', ''],
  ['/x#/admin', 'site as site'],
]

for (const [path, answer] of places) {
  test(`X6: ${path} is ${answer}: no route below the realm’s path is reached in another realm`, async t => {
    const { port } = await startPlaces(t, atPath('/admin'))
    const { body } = await send(port, { path })
    t.is(body, answer || 'Bad Request')
  })
}

const BELOW = /^(?!site as |Bad Request)/
const part = fc.oneof(
  fc.constantFrom(
    'admin',
    'ADMIN',
    '%61dmin',
    'adm%69n',
    'admin%2f',
    'users',
    'x',
    '..',
    '.',
    '%2e%2e',
    '',
    '%5c',
    ';',
    '%',
  ),
  fc.string({ unit: fc.constantFrom(...'adminADMIN%/.;25cf\\~'), maxLength: 9 }),
)
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map(parts => `/${parts.join('/')}`)

test('X6: whatever the path, what is below the realm’s path is reached in that realm', async t => {
  const { port } = await startPlaces(t, atPath('/admin'))
  let below = 0
  await fc.assert(
    fc.asyncProperty(path, async asked => {
      const { body } = await send(port, { path: asked })
      if (!BELOW.test(body)) return true
      below += 1
      return body.endsWith(' as admin')
    }),
    { numRuns: scaled(5000) },
  )
  t.true(below > scaled(500), String(below))
})

test('X6: the control: by the plain text of the path, routes below it are reached in another realm', async t => {
  const { port } = await startPlaces(t, ({ path }) => path === '/admin' || path.startsWith('/admin/'))
  const bodies = await Promise.all(places.map(async ([path]) => (await send(port, { path })).body))
  const past = places.filter((_, index) => BELOW.test(bodies[index]!) && bodies[index]!.endsWith(' as site'))
  for (const path of ['/ADMIN', '/Admin/Users/', '/%61dmin'])
    t.true(
      past.some(([one]) => one === path),
      path,
    )
})

test('A guard that router.use() adds to a router with a prefix is passed by in capitals, and one on a route is not.', async t => {
  const guard: Middleware = ctx => ctx.throw(401)
  const guarded = async (add: (router: Router) => unknown) => {
    const router = new Router({ prefix: '/admin' })
    add(router)
    const { port } = await startApp(t, { layers: [router.routes()] })
    return Promise.all(['/admin/users', '/ADMIN/users'].map(async path => (await send(port, { path })).status))
  }
  t.deepEqual(await guarded(router => router.use(guard).get('/users', reached('users'))), [401, 200])
  t.deepEqual(await guarded(router => router.get('/users', guard, reached('users'))), [401, 401])
})

for (const path of [
  '',
  '/',
  'admin',
  '/admin/',
  '//admin',
  '/a/../b',
  '/.',
  '/ädmin',
  '/%61dmin',
  '/a?b',
  '/a#b',
  '/a b',
  /a/,
]) {
  test(`atPath() refuses ${String(path) || 'an empty path'}`, t => {
    const error = t.throws(() => atPath(path as string), { instanceOf: OptionInvalid })
    t.is(error?.option, 'path')
  })
}

test('atPath() takes paths of several parts, and their characters as they are.', t => {
  const at = (path: string, asked: string) => atPath(path)({ path: asked } as Context)
  t.true(at('/a.b/c+d', '/a.b/C+D/e'))
  t.false(at('/a.b/c+d', '/aXb/c+d'))
  t.false(at('/a.b/c+d', '/a.b'))
})

test('atHost() takes names, whatever is below one, and addresses, in any case.', t => {
  const at = (host: string, ...listed: string[]) => atHost(...listed)({ host } as Context)
  t.true(at('A.Example:80', 'a.example'))
  t.true(at('b.a.example', '*.a.example'))
  t.false(at('a.example', '*.a.example'))
  t.true(at('[::1]:3000', '[::1]'))
  t.true(at('127.0.0.1', 'other.example', '127.0.0.1'))
  t.false(at('', 'a.example'))
})

for (const hosts of [[], [''], ['a.example:80'], ['https://a.example'], [undefined], [/a/]]) {
  test(`atHost() refuses ${JSON.stringify(hosts.map(String))}`, t => {
    t.throws(() => atHost(...(hosts as string[])), { instanceOf: OptionInvalid, message: /^atHost\(\): option 'hosts/ })
  })
}
