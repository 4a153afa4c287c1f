import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import { type AddressInfo, connect, type ListenOptions } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type Koa from 'koa'
import type { Middleware } from 'koa'
import { memoryStore, RemoteUserInvalid } from 'koa-strata'
import { gate } from '../sessions/app.ts'
import { PROXY, ProxiedClient, STRANGER, startProxiedApp } from './proxied.ts'

const ALICE = 'X-Remote-User: alice'

/** Serves an app at a further address. */
async function listen(t: ExecutionContext, koa: Koa, at: ListenOptions): Promise<number> {
  const server = http.createServer(koa.callback())
  t.teardown(() => new Promise<void>(resolve => server.close(() => resolve())))
  await new Promise<void>(resolve => server.listen(at, resolve))
  const address = server.address() as AddressInfo | string
  return typeof address === 'string' ? 0 : address.port
}

async function socketPath(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'app.sock')
}

test('X1: it is the connection that counts, whatever X-Forwarded-For says and app.proxy believes.', async t => {
  const app = await startProxiedApp(t)
  app.koa.proxy = true
  const key = async (from: string, forwarded: string) => {
    const lines = [ALICE, `X-Forwarded-For: ${forwarded}`, `X-Real-IP: ${forwarded}`, `Forwarded: for=${forwarded}`]
    return JSON.parse((await app.client().get('/me', { lines, from })).text).key
  }
  t.is(await key(STRANGER, PROXY), '')
  t.is(await key(STRANGER, 'unix'), '')
  t.is(await key(PROXY, STRANGER), 'remote:alice')
})

test('X1: what a stranger sends is not there for the application either, in any spelling; what the proxy sends is.', async t => {
  const app = await startProxiedApp(t, {
    handlers: { '/seen': ctx => [ctx.get('X-Remote-User'), ctx.get('X_Remote_User'), ctx.get('X-Other')] },
  })
  const seen = async (from: string, ...lines: string[]) =>
    JSON.parse((await app.client().get('/seen', { from, lines: [...lines, 'X-Other: 1'] })).text)
  t.deepEqual(await seen(STRANGER, ALICE, 'X_Remote_User: alice'), ['', '', '1'])
  t.deepEqual(await seen(PROXY, ALICE), ['alice', '', '1'])
})

test('X1: a proxy on a Unix socket counts where unix is listed, and there alone; others at the same app do not.', async t => {
  for (const [trust, byUnix] of [
    [['unix'], 'remote:alice'],
    [['127.0.0.0/8', '::/0'], ''],
  ] as const) {
    const app = await startProxiedApp(t, { remote: { trust } })
    const path = await socketPath(t)
    await listen(t, app.koa, { path })
    const client = app.client()
    const answer = await client.get('/me', { lines: [ALICE], socketPath: path })
    t.is(JSON.parse(answer.text).key, byUnix)
    t.is(await app.client().whoIs(ALICE), byUnix === '' ? 'remote:alice' : '')
    if (byUnix === '') continue
    t.deepEqual((await client.get('/ping', { lines: [ALICE], socketPath: path })).setCookies, [])
    t.is(await client.whoIs(ALICE), '', 'the session that came by the proxy does not hold past it')
  }
})

test('X1: IPv4 that arrives at an IPv6 socket counts as IPv4.', async t => {
  const app = await startProxiedApp(t, { remote: { trust: ['127.0.0.1'] } })
  const port = await listen(t, app.koa, { host: '::', port: 0 })
  const client = new ProxiedClient(port)
  t.is(JSON.parse((await client.get('/me', { lines: [ALICE] })).text).key, 'remote:alice')
  t.is(JSON.parse((await client.get('/me', { lines: [ALICE], from: STRANGER })).text).key, '')
})

/** Sends a request and resets the connection at once, so that the server reads it from one that has no address any more. */
function sendAndReset(port: number, head: string[]): void {
  const socket = connect({ port, host: '127.0.0.1', localAddress: STRANGER })
  socket.on('error', () => {})
  socket.once('connect', () => {
    socket.write([...head, '', ''].join('\r\n'))
    socket.resetAndDestroy()
  })
}

/** Tells what becomes of a request whose client is not there to be told. */
function outcome() {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const watch: Middleware = (_ctx, next) => next().then(() => resolve('answered'), resolve)
  return { watch, promise }
}

test('X1: a stranger who resets the connection, and so has no address, is not taken for a Unix socket.', async t => {
  const addresses: unknown[] = []
  const { watch, promise } = outcome()
  const app = await startProxiedApp(t, {
    remote: { trust: ['unix', PROXY] },
    outside: [
      watch,
      (ctx, next) => {
        addresses.push(ctx.req.socket.remoteAddress)
        return next()
      },
    ],
  })
  sendAndReset(app.port, ['GET /me HTTP/1.1', 'Host: 127.0.0.1', ALICE])
  t.true((await promise) instanceof RemoteUserInvalid)
  t.deepEqual(addresses, [undefined], 'the control: a Unix socket is not told by a missing address')
})

test('A proxy that gives up while a request is under way does not log out whom it named.', async t => {
  const store = memoryStore()
  const { read } = store
  let held: ReturnType<typeof gate> | null = null
  store.read = async id => {
    await held?.pass()
    return read(id)
  }
  let watched = outcome()
  const closed = Promise.withResolvers<void>()
  const app = await startProxiedApp(t, {
    store,
    outside: [
      (ctx, next) => {
        ctx.req.socket.once('close', () => held && closed.resolve())
        return watched.watch(ctx, next)
      },
    ],
  })
  const client = app.client()
  t.is(await client.whoIs(ALICE), 'remote:alice')

  held = gate()
  watched = outcome()
  const socket = connect({ port: app.port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.write(['GET /me HTTP/1.1', 'Host: 127.0.0.1', `Cookie: ${client.cookie}`, ALICE, '', ''].join('\r\n'))
  await held.reached
  socket.resetAndDestroy()
  await closed.promise
  held.open()
  t.true((await watched.promise) instanceof RemoteUserInvalid)

  held = null
  const answer = await client.get('/me', { lines: [ALICE] })
  t.is(JSON.parse(answer.text).key, 'remote:alice')
  t.deepEqual(answer.setCookies, [])
})

test('A connection that is gone is no matter where neither the header nor the session speak of it.', async t => {
  const { watch, promise } = outcome()
  const app = await startProxiedApp(t, { remote: { trust: ['unix', PROXY] }, outside: [watch] })
  sendAndReset(app.port, ['GET /ping HTTP/1.1', 'Host: 127.0.0.1'])
  t.is(await promise, 'answered')
})
