import test from 'ava'
import { OptionInvalid, type SameOriginOptions, sameOrigin } from 'koa-strata'
import { startApp } from '../sessions/app.ts'

const WRONG: [string, unknown, option: string][] = [
  ['null', null, 'options'],
  ['a list', [], 'options'],
  ['text', 'https://a.example', 'options'],
  ['a misspelt option', { origin: [] }, 'origin'],
  ['origins: text', { origins: 'https://a.example' }, 'origins'],
  ['origins: null', { origins: null }, 'origins'],
  ['origins: a Set', { origins: new Set() }, 'origins'],
  ['an origin that is no text', { origins: [5] }, 'origins[0]'],
  ['an empty origin', { origins: [''] }, 'origins[0]'],
  ['a host alone', { origins: ['a.example'] }, 'origins[0]'],
  ['an origin with a slash', { origins: ['https://a.example/'] }, 'origins[0]'],
  ['an origin with a path', { origins: ['https://a.example', 'https://b.example/x'] }, 'origins[1]'],
  ['an origin in capitals', { origins: ['https://A.example'] }, 'origins[0]'],
  ['an origin with its default port', { origins: ['https://a.example:443'] }, 'origins[0]'],
  ['a wildcard', { origins: ['*'] }, 'origins[0]'],
  ["the origin 'null'", { origins: ['null'] }, 'origins[0]'],
]

for (const [what, options, option] of WRONG) {
  test(`sameOrigin() with ${what} is an OptionInvalid that names '${option}'.`, t => {
    const error = t.throws(() => sameOrigin(options as SameOriginOptions), { instanceOf: OptionInvalid })
    t.is(error.where, 'sameOrigin()')
    t.is(error.option, option)
  })
}

const HERE = 'http://site.example:8080'
const SITES = [undefined, 'same-origin', 'none', 'same-site', 'cross-site', '', 'nonsense'] as const
const ORIGINS: Record<string, string | undefined> = {
  'no Origin': undefined,
  'this origin': HERE,
  'this host over https': 'https://site.example:8080',
  'this host in capitals': 'http://SITE.example:8080',
  'another host': 'http://evil.example:8080',
  'another port': 'http://site.example:8081',
  'this host without the port': 'http://site.example',
  'a subdomain': 'http://a.site.example:8080',
  'a host that ends like this one': 'http://evilsite.example:8080',
  'a host that begins like this one': 'http://site.example.evil:8080',
  'an origin that is allowed': 'https://admin.example',
  'the allowed one over http': 'http://admin.example',
  'the opaque origin': 'null',
  'an extension': 'chrome-extension://site.example:8080',
  'a file': 'file://',
  'an empty Origin': '',
  'no address': 'site.example:8080',
  'two of them': `${HERE}, http://evil.example`,
}
const OF_THIS_HOST = ['this origin', 'this host over https', 'this host in capitals']

function allowed(site: (typeof SITES)[number], origin: string): boolean {
  if (origin === 'an origin that is allowed') return true
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  return origin === 'no Origin' || OF_THIS_HOST.includes(origin)
}

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
  test(`L7: ${method} from another site is 403, by Sec-Fetch-Site and else by Origin, and from this one passes.`, async t => {
    let ran = 0
    const app = await startApp(t, {
      layers: [sameOrigin({ origins: ['https://admin.example'] })] as never[],
      handlers: { '/change': () => `changed ${++ran}` },
    })
    let passed = 0
    for (const site of SITES) {
      for (const [what, origin] of Object.entries(ORIGINS)) {
        const answer = await app.browser().get(
          '/change',
          {
            host: 'site.example:8080',
            ...(site !== undefined && { 'sec-fetch-site': site }),
            ...(origin !== undefined && { origin }),
          },
          method,
        )
        const expected = allowed(site, what)
        if (expected) passed++
        t.is(answer.status, expected ? 200 : 403, `${site} ${what}`)
        if (!expected) t.is(answer.text, 'This request came from another site and was not carried out.')
      }
    }
    t.is(ran, passed)
    t.deepEqual([...new Set(app.errors.map(({ code }) => code))], ['CROSS_SITE_REQUEST'])
  })
}

for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) {
  test(`L7: ${method} passes from anywhere.`, async t => {
    const app = await startApp(t, { layers: [sameOrigin()] as never[], handlers: { '/page': () => 'page' } })
    for (const site of SITES) {
      for (const origin of Object.values(ORIGINS)) {
        const headers = {
          ...(site !== undefined && { 'sec-fetch-site': site }),
          ...(origin !== undefined && { origin }),
        }
        t.is((await app.browser().get('/page', headers, method)).status, 200)
      }
    }
  })
}

const HOSTS: [host: string, origin: string, passes: boolean][] = [
  ['site.example', 'http://site.example', true],
  ['site.example', 'https://site.example', true],
  ['SITE.example', 'http://site.example', true],
  ['site.example:80', 'http://site.example', true],
  ['site.example:443', 'https://site.example', true],
  ['site.example:443', 'http://site.example', false],
  ['site.example', 'http://site.example:8080', false],
  ['127.0.0.1:3000', 'http://127.0.0.1:3000', true],
  ['127.0.0.1:3000', 'http://localhost:3000', false],
  ['[::1]:3000', 'http://[::1]:3000', true],
  ['[::1]:3000', 'http://[::1]:3001', false],
  ['xn--bcher-kva.example', 'http://xn--bcher-kva.example', true],
  ['', 'file://', false],
  ['', 'null', false],
]

for (const [host, origin, passes] of HOSTS) {
  test(`L7: without Sec-Fetch-Site, a POST to host '${host}' from '${origin}' ${passes ? 'passes' : 'is 403'}.`, async t => {
    const app = await startApp(t, { layers: [sameOrigin()] as never[], handlers: { '/': () => 'changed' } })
    t.is((await app.browser().get('/', { host, origin }, 'POST')).status, passes ? 200 : 403)
  })
}

test('L7: on https a page of the same host over plain http is another site.', async t => {
  const app = await startApp(t, { layers: [sameOrigin()] as never[], handlers: { '/': () => 'changed' } })
  app.koa.proxy = true
  const headers = { host: 'site.example', 'x-forwarded-proto': 'https' }
  t.is((await app.browser().get('/', { ...headers, origin: 'https://site.example' }, 'POST')).status, 200)
  t.is((await app.browser().get('/', { ...headers, origin: 'http://site.example' }, 'POST')).status, 403)
})

test('L7: what it refuses says so by its code, and the handler does not run.', async t => {
  const seen: unknown[] = []
  const app = await startApp(t, {
    outside: [
      async (_ctx, next) => {
        try {
          await next()
        } catch (error) {
          seen.push((error as { code?: string }).code)
          throw error
        }
      },
    ],
    layers: [sameOrigin()] as never[],
    handlers: { '/': () => t.fail() },
  })
  await app.browser().get('/', { 'sec-fetch-site': 'cross-site' }, 'POST')
  t.deepEqual(seen, ['CROSS_SITE_REQUEST'])
})
