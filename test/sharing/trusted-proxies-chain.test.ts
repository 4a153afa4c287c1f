import test from 'ava'
import type { Middleware } from 'koa'
import { sameOrigin, sessionOrBasicAuth } from 'koa-strata'
import { trustedProxies } from 'koa-strata/sharing'
import { jobsFeed, RIGHT } from '../feeds/people.ts'
import { heard } from '../heard.ts'
import { startUsersApp } from '../users/app.ts'
import { PROXY, STRANGER, Wire } from './trusted-proxies-app.ts'

const HOST = 'Host: www.example'
const MINUTE = 60_000
const TRUSTED = [trustedProxies([PROXY], { hosts: ['www.example'] })]
const TWO_FAILURES = { perNetwork: { failures: 2, within: MINUTE }, deviceCookie: false, now: () => 0 }

/** What becomes of three wrong passwords, of different people, from somebody who claims another address each time. */
async function guesses(send: (line: string, target: string) => Promise<{ status: number }>): Promise<number[]> {
  const statuses = []
  for (const [index, claim] of ['198.51.100.1', '198.51.100.2', '198.51.100.3'].entries()) {
    const { status } = await send(`X-Forwarded-For: ${claim}, 203.0.113.7`, `/login?u=u${index}&p=wrong`)
    statuses.push(status)
  }
  return statuses
}

test('X2: failed logins are limited by the network of the client, whatever it claims.', async t => {
  const { koa, port } = await startUsersApp(t, { throttle: TWO_FAILURES, outside: TRUSTED })
  koa.proxy = true
  const wire = new Wire(t, port)
  t.deepEqual(await guesses((line, target) => wire.send({ target, lines: [HOST, line] })), [401, 401, 429])
  const another = await wire.send({ target: '/login?u=u9&p=wrong', lines: [HOST, 'X-Forwarded-For: 203.0.113.8'] })
  t.is(another.status, 401)
})

test('X2: failed logins of a stranger are limited by its own network.', async t => {
  const { koa, port } = await startUsersApp(t, { throttle: TWO_FAILURES, outside: TRUSTED })
  koa.proxy = true
  const [stranger, proxy] = [new Wire(t, port, STRANGER), new Wire(t, port)]
  t.deepEqual(await guesses((line, target) => stranger.send({ target, lines: [HOST, line] })), [401, 401, 429])
  const another = await proxy.send({ target: '/login?u=u9&p=wrong', lines: [HOST, 'X-Forwarded-For: 198.51.100.1'] })
  t.is(another.status, 401)
})

test('X2: the control: with app.proxy alone, a claim is another network each time.', async t => {
  const { koa, port } = await startUsersApp(t, { throttle: TWO_FAILURES })
  koa.proxy = true
  const wire = new Wire(t, port, STRANGER)
  t.deepEqual(await guesses((line, target) => wire.send({ target, lines: [HOST, line] })), [401, 401, 401])
})

test('X2: events name the address of the client.', async t => {
  const events = heard(t, 'koa-strata:login-failed')
  const { koa, port } = await startUsersApp(t, { outside: TRUSTED })
  koa.proxy = true
  const lines = [HOST, 'X-Forwarded-For: 198.51.100.66, 203.0.113.66']
  for (const from of [PROXY, '127.0.0.66']) await new Wire(t, port, from).send({ target: '/login?u=x&p=x', lines })
  // Tests beside this one have other addresses.
  const ours = events.map(({ ip }) => ip).filter(ip => ip?.endsWith('.66'))
  t.deepEqual(ours, ['203.0.113.66', '127.0.0.66'])
})

test('X2: passwords are taken over what the proxy says is https, and not over what a stranger says is.', async t => {
  const guard = sessionOrBasicAuth({ realm: 'Jobs', requireHttps: true })
  const { koa, port } = await jobsFeed(t, { guard, outside: TRUSTED })
  koa.proxy = true
  const ask = async (from: string, ...lines: string[]) =>
    (await new Wire(t, port, from).send({ target: '/feed', lines: [HOST, `Authorization: ${RIGHT}`, ...lines] })).status
  t.is(await ask(PROXY, 'X-Forwarded-Proto: https'), 200)
  t.is(await ask(PROXY, 'X-Forwarded-Proto: https, http'), 403)
  t.is(await ask(PROXY), 403)
  t.is(await ask(STRANGER, 'X-Forwarded-Proto: https'), 403)
})

test('X2: sameOrigin() goes by the host that the proxy says, and that a stranger asks.', async t => {
  const outside = [...TRUSTED, sameOrigin()] as Middleware[]
  const { koa, port } = await startUsersApp(t, { outside })
  koa.proxy = true
  const post = async (from: string, origin: string, ...lines: string[]) => {
    const head = [...lines, `Origin: ${origin}`, 'Content-Length: 0']
    return (await new Wire(t, port, from).send({ method: 'POST', target: '/ping', lines: head })).status
  }
  const forwarded = ['Host: app.internal', 'X-Forwarded-Host: www.example', 'X-Forwarded-Proto: https']
  t.is(await post(PROXY, 'https://www.example', ...forwarded), 200)
  t.is(await post(PROXY, 'http://www.example', ...forwarded), 403)
  t.is(await post(PROXY, 'https://evil.example', ...forwarded), 403)
  const claimed = [HOST, 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https']
  t.is(await post(STRANGER, 'https://evil.example', ...claimed), 403)
  t.is(await post(STRANGER, 'http://www.example', ...claimed), 200)
})
