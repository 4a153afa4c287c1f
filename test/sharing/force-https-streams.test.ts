import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import type { Middleware } from 'koa'
import { forceHttps } from '../../lib/sharing/force-https.ts'
import { asked, startPagesApp } from './force-https-app.ts'

const PAGE = '<p>Grüße ☃ <img src="http://h.example/x">'.repeat(200)
const SECURE = PAGE.replaceAll('http:', 'https:')

const pieces = (size: number) => {
  const bytes = Buffer.from(PAGE)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
}
const web = (size: number) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces(size)) controller.enqueue(new Uint8Array(piece))
      controller.close()
    },
  })

const streamed =
  (body: () => unknown, headers: Record<string, string> = {}): Middleware =>
  ctx => {
    ctx.type = 'html'
    ctx.body = body()
    ctx.set(headers)
  }

for (const size of [1, 2, 3, 7, 64, 1000, 65_536])
  for (const [name, body] of Object.entries({
    'a stream of Node': () => Readable.from(pieces(size), { objectMode: false }),
    'a web stream': () => web(size),
  }))
    test(`X5: ${name} in pieces of ${size} bytes is rewritten as it comes, without a length.`, async t => {
      const { get } = await startPagesApp(
        t,
        streamed(body, { 'Content-Length': String(Buffer.byteLength(PAGE)), ETag: '"abc"' }),
      )
      const got = await get()
      t.is(got.bytes.toString(), SECURE)
      t.is(got.headers['content-length'], undefined)
      t.is(got.headers.etag, 'W/"abc"')
    })

for (const [name, body] of Object.entries({
  'a Blob': () => new Blob([PAGE], { type: 'text/html' }),
  'a Response': () =>
    new Response(PAGE, { headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': '1' } }),
  'a stream of strings': () => Readable.from(PAGE.match(/.{1,9}/gsu)!),
  'a PassThrough': () => Readable.from(pieces(10)).pipe(new PassThrough()),
}))
  test(`X5: ${name} is rewritten, and HEAD says the same of it.`, async t => {
    const { get } = await startPagesApp(t, streamed(body))
    const got = await get()
    t.is(got.status, 200)
    t.is(got.bytes.toString(), SECURE)
    t.is(got.headers['content-length'], undefined)
    const head = await get({ method: 'HEAD' })
    t.is(head.status, 200)
    t.is(head.headers['content-length'], undefined)
    t.is(head.headers['content-type'], got.headers['content-type'])
  })

test('X5: a Response without a body, and an empty stream, are empty pages.', async t => {
  const { get } = await startPagesApp(t, ctx => {
    const body =
      ctx.path === '/response' ? new Response(null, { headers: { 'Content-Type': 'text/html' } }) : Readable.from([])
    return streamed(() => body)(ctx, async () => {})
  })
  for (const path of ['/response', '/stream'])
    t.deepEqual([(await get({ path })).status, (await get({ path })).bytes.length], [200, 0])
})

test('X5: what has come goes out before the page is complete.', async t => {
  const source = new PassThrough()
  const { port } = await startPagesApp(
    t,
    streamed(() => source),
  )
  source.write('<p>first <img src=http://h')
  const [response] = await once(asked(port), 'response')
  t.is(String((await once(response, 'data'))[0]), '<p>first ')
  source.end('><p>last')
  t.is(String((await once(response, 'data'))[0]), '<img src=https://h><p>last')
})

test('X5: a source waits for a client that does not read.', async t => {
  const chunk = Buffer.alloc(65_536, '<img src=http://h> ')
  let made = 0
  const source = new Readable({
    read() {
      made++
      this.push(chunk)
    },
  })
  const { port } = await startPagesApp(
    t,
    streamed(() => source),
  )
  const request = asked(port)
  const [response] = await once(request, 'response')
  // The buffers of the sockets fill up first.
  for (let before = -1; before !== made; await setTimeout(100)) before = made
  t.true(made < 1000)
  const full = made
  response.resume()
  for (const deadline = Date.now() + 20_000; made === full && Date.now() < deadline; ) await setTimeout(10)
  t.true(made > full)
  request.destroy()
  if (!source.closed) await once(source, 'close')
})

for (const [name, method] of [
  ['whose client goes away', 'GET'],
  ['that a HEAD does not ask for', 'HEAD'],
] as const)
  for (const kind of ['a stream of Node', 'a web stream'])
    test(`X5: ${kind} ${name} is closed.`, async t => {
      const { promise: closed, resolve } = Promise.withResolvers<void>()
      const body = () => {
        if (kind === 'a web stream')
          return new ReadableStream({
            start: controller => controller.enqueue(Buffer.from('<p>')),
            cancel: () => resolve(),
          })
        const source = new PassThrough().on('close', resolve)
        source.write('<p>')
        return source
      }
      const { port } = await startPagesApp(t, streamed(body))
      const request = asked(port, { method })
      const [response] = await once(request, 'response')
      if (method === 'GET') {
        await once(response, 'data')
        request.destroy()
      } else response.resume()
      await closed
      t.pass()
    })

test('X5: a source that fails before anything is sent breaks the connection off, as it does without us, and Koa hears of it.', async t => {
  const failing = () =>
    new Readable({
      read() {
        this.destroy(new Error('the disk is gone'))
      },
    })
  const { app, get } = await startPagesApp(t, streamed(failing))
  for (const protocol of ['http', 'https']) {
    const heard = once(app, 'error')
    await t.throwsAsync(get({ headers: { 'X-Forwarded-Proto': protocol } }), { code: 'ECONNRESET' })
    t.is(((await heard) as Error[])[0]!.message, 'the disk is gone')
  }
})

test('X5: a source that fails in the middle breaks the answer off.', async t => {
  const source = new PassThrough()
  const { app, port } = await startPagesApp(
    t,
    streamed(() => source),
  )
  const heard = once(app, 'error')
  source.write('<p>')
  const [response] = await once(asked(port), 'response')
  await once(response, 'data')
  source.destroy(new Error('the disk is gone'))
  await t.throwsAsync(once(response, 'end'), { code: 'ECONNRESET' })
  t.is(((await heard) as Error[])[0]!.message, 'the disk is gone')
})

test('X5: a page that an outer middleware replaces leaves no source open.', async t => {
  const source = new PassThrough()
  const closed = new Promise(resolve => source.on('close', resolve))
  const replace: Middleware = async (ctx, next) => {
    await next()
    ctx.body = 'replaced'
  }
  const { get } = await startPagesApp(
    t,
    replace,
    forceHttps(),
    streamed(() => source),
  )
  t.is((await get()).bytes.toString(), 'replaced')
  await closed
})
