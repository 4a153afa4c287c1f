import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import test, { type ExecutionContext } from 'ava'
import { detachedUsers, memoryStore, type SessionStore } from 'koa-strata'
import { createApp, PEOPLE } from './app.ts'
import { traceStrata } from './strata-spans.ts'
import { startTracing } from './tracing.ts'

const ADA = { username: 'ada', password: PEOPLE.get('ada')! }
const DOWN = 'the directory does not answer'

/** The app and its spans. There is one tracing in a process, so the tests of this file take turns. */
async function start(t: ExecutionContext, store: SessionStore = memoryStore()) {
  const exporter = new InMemorySpanExporter()
  const { provider, stop } = startTracing(exporter)
  const tracer = provider.getTracer('test')
  const end = traceStrata(tracer)
  const directory = detachedUsers({
    name: 'directory',
    authenticate: async ({ username }) => (username === 'down' ? Promise.reject(new Error(DOWN)) : null),
  })
  const app = createApp({ store, keys: ['k'.repeat(32)], tracer, directory })
  app.silent = true
  const server = app.listen(0, '127.0.0.1')
  t.teardown(async () => {
    server.close()
    end()
    await stop()
  })
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const running = {
    /** The session cookie, as it is sent. */
    cookie: '',
    exporter,
    end,
    /** Sends a request, and answers its spans: that of the request, and those below it. */
    async trace(path: string, fields?: Record<string, string>, more: Record<string, string> = {}) {
      exporter.reset()
      const headers = { origin, ...(running.cookie && { cookie: running.cookie }), ...more }
      const init = fields && { method: 'POST', body: new URLSearchParams(fields) }
      const response = await fetch(origin + path, { ...init, headers, redirect: 'manual' })
      await response.arrayBuffer()
      const [line] = response.headers.getSetCookie()
      if (line) running.cookie = line.split(';', 1)[0]!
      const spans = exporter.getFinishedSpans()
      const root = spans.find(({ kind }) => kind === SpanKind.SERVER)!
      return { status: response.status, root, below: spans.filter(span => isBelow(span, root)), spans }
    },
  }
  return running
}

function isBelow(span: ReadableSpan, root: ReadableSpan | undefined): boolean {
  const { traceId, spanId } = root?.spanContext() ?? {}
  return span.parentSpanContext?.spanId === spanId && span.spanContext().traceId === traceId
}

test.serial(
  'A login is the span of its request, with one below it for each backend and each call of the store.',
  async t => {
    const app = await start(t)
    const { root, below, spans } = await app.trace('/login', ADA)
    t.is(root.name, 'POST /login')
    t.like(root.attributes, {
      'http.request.method': 'POST',
      'http.route': '/login',
      'http.response.status_code': 303,
      'url.scheme': 'http',
    })
    t.is(root.parentSpanContext, undefined)
    t.is(below.length, spans.length - 1)
    const login = below.find(({ name }) => name === 'authenticate people')!
    t.deepEqual(login.attributes, {
      'koa_strata.backend': 'people',
      'koa_strata.outcome': 'known',
      'enduser.id': 'people:ada',
    })
    t.true(below.some(({ name }) => name === 'session create'))
    t.like(root.events, [{ name: 'koa-strata:login', attributes: { 'enduser.id': 'people:ada' } }])
  },
)

test.serial('A refused login shows who was asked, and what they said.', async t => {
  const app = await start(t)
  const { status, root, below } = await app.trace('/login', { ...ADA, password: 'guessed' })
  t.is(status, 401)
  t.is(root.status.code, SpanStatusCode.UNSET)
  t.deepEqual(
    below.map(({ name, attributes }) => [name, attributes['koa_strata.outcome']]),
    [
      ['authenticate people', 'unknown'],
      ['authenticate directory', 'unknown'],
    ],
  )
  t.like(root.events, [{ name: 'koa-strata:login-failed', attributes: { 'koa_strata.reason': 'unknown' } }])
})

test.serial('A backend that fails is an error of its span and of the request, with the exception.', async t => {
  const app = await start(t)
  const { status, root, below } = await app.trace('/login', { username: 'down', password: 'x' })
  t.is(status, 503)
  const failed = below.find(({ name }) => name === 'authenticate directory')!
  t.is(failed.status.code, SpanStatusCode.ERROR)
  t.is(failed.attributes['error.type'], 'BACKEND_UNAVAILABLE')
  t.like(failed.events, [{ name: 'exception', attributes: { 'exception.message': DOWN } }])
  t.is(root.status.code, SpanStatusCode.ERROR)
  t.like(root.attributes, { 'error.type': '503', 'http.response.status_code': 503 })
})

test.serial('A store that fails is an error of its span, with the exception.', async t => {
  const store = memoryStore()
  const app = await start(t, store)
  await app.trace('/login', ADA)
  store.read = async () => Promise.reject(new Error('connection refused'))
  const { status, below } = await app.trace('/')
  t.is(status, 503)
  const read = below.find(({ name }) => name === 'session read')!
  t.is(read.status.code, SpanStatusCode.ERROR)
  t.is(read.attributes['error.type'], 'SESSION_STORE_UNAVAILABLE')
  t.like(read.events, [{ name: 'exception', attributes: { 'exception.message': 'connection refused' } }])
})

test.serial('Requests at once have each their own spans.', async t => {
  const app = await start(t)
  await app.trace('/login', ADA)
  app.exporter.reset()
  await Promise.all(Array.from({ length: 20 }, (_, index) => app.trace(`/visits/${index}`, {})))
  const spans = app.exporter.getFinishedSpans()
  const roots = spans.filter(({ kind }) => kind === SpanKind.SERVER)
  t.is(new Set(roots.map(span => span.spanContext().traceId)).size, roots.length)
  for (const root of roots) {
    t.is(root.name, 'POST /visits/:page')
    t.true(spans.some(span => span.name === 'session read' && isBelow(span, root)))
  }
  for (const span of spans) t.true(span.kind === SpanKind.SERVER || roots.some(root => isBelow(span, root)), span.name)
})

test.serial('No span holds a password, a cookie, a session id or what stands in an address.', async t => {
  const app = await start(t)
  const held: ReadableSpan[] = []
  const visit = async (...given: Parameters<typeof app.trace>) => held.push(...(await app.trace(...given)).spans)
  await visit('/login', { username: 'SECRET', password: 'SECRET' })
  await visit('/login', ADA)
  await visit('/visits/SECRET?token=SECRET', {})
  await visit('/elsewhere/SECRET', undefined, { authorization: 'Basic SECRET' })
  const secrets = ['SECRET', ADA.password, ...app.cookie.replace('sid=', '').split('.')]
  t.true(held.length > 8, `${held.length} spans`)
  const text = JSON.stringify(
    held.map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
  )
  for (const secret of secrets) t.false(text.includes(secret), secret)
})

test.serial('After the end there are no more spans of koa-strata.', async t => {
  const app = await start(t)
  app.end()
  const { spans, root } = await app.trace('/login', ADA)
  t.deepEqual([spans.length, root.events], [1, []])
})
