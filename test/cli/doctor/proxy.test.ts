import test from 'ava'
import type { Middleware } from 'koa'
import { sessions, stack } from 'koa-strata'
import { inspect } from '../../../lib/cli/doctor/app.ts'
import { checkProxy } from '../../../lib/cli/doctor/proxy.ts'
import { trustedProxies } from '../../../lib/sharing/trusted-proxies.ts'

const PROXIES = ['127.0.0.1', '10.0.0.0/8']
const HOSTS = { hosts: ['www.example.org'] }
const log: Middleware = (_, next) => next()

function look(proxy: boolean, middleware: readonly unknown[], url: string | null = null) {
  return checkProxy(inspect({ middleware, proxy }), url === null ? null : new URL(url))
}

test('Without trustedProxies() it goes by what the app believes, and by how the site is served.', t => {
  for (const [proxy, url, status] of [
    [true, null, 'warning'],
    [false, 'https://example.org', 'warning'],
    [false, 'http://example.org', 'ok'],
    [false, null, 'ok'],
  ] as const)
    t.like(look(proxy, [log], url), { length: 1, 0: { status } }, `${proxy} ${url}`)
  for (const warned of [look(true, []), look(false, [], 'https://example.org')])
    t.regex(warned[0]!.advice!, /trustedProxies\(/)
})

test('trustedProxies() before all else is fine, alone or in a stack, and says whom it believes.', t => {
  const layer = trustedProxies(PROXIES, HOSTS)
  for (const middleware of [
    [layer, log],
    [stack(layer, sessions()), log],
  ])
    t.deepEqual(look(true, middleware, 'https://www.example.org'), [
      {
        check: 'proxy',
        status: 'ok',
        message: 'X-Forwarded-* headers are believed of 127.0.0.1, 10.0.0.0/8, for www.example.org.',
      },
    ])
})

test('trustedProxies() in an app that does not read what proxies say is a problem: it fails every request.', t => {
  const found = look(false, [trustedProxies(PROXIES, HOSTS)])
  t.like(found, { length: 1, 0: { status: 'problem', advice: 'Set app.proxy = true.' } })
})

test('trustedProxies() that trusts everybody is a problem.', t => {
  for (const everybody of ['0.0.0.0/0', '::/0']) {
    const found = look(true, [trustedProxies([...PROXIES, everybody], HOSTS)])
    t.like(found, { length: 1, 0: { status: 'problem' } })
    t.true(found[0]!.message.includes(` ${everybody}:`))
  }
  t.like(look(true, [trustedProxies(['10.0.0.0/10', '::'], HOSTS)]), { length: 1, 0: { status: 'ok' } })
})

test('trustedProxies() without hosts, or behind something else, is a warning.', t => {
  const anyHost = look(true, [trustedProxies(PROXIES)])
  t.like(anyHost, { length: 1, 0: { status: 'warning' } })
  t.regex(anyHost[0]!.message, /takes any host/)
  for (const middleware of [[log, trustedProxies(PROXIES, HOSTS)], [stack(log, trustedProxies(PROXIES, HOSTS))]]) {
    const found = look(true, middleware)
    t.like(found, { length: 1, 0: { status: 'warning' } })
    t.regex(found[0]!.message, /not the first middleware/)
  }
  t.is(look(true, [log, trustedProxies(['::/0'])]).length, 3)
})
