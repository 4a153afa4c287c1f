import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import test from 'ava'
import Koa, { type Middleware } from 'koa'
import { forceHttps } from '../../lib/sharing/force-https.ts'
import { makeCertificate } from '../servers/certificate.ts'
import { startPagesApp } from './force-https-app.ts'

const PAGE = '<!doctype html><p>Grüße ☃ <img src="http://h.example:80/x"> http://h.example'
const SECURE = '<!doctype html><p>Grüße ☃ <img src="https://h.example/x"> http://h.example'

const page =
  (body: unknown, headers: Record<string, string> = {}): Middleware =>
  ctx => {
    ctx.type = 'html'
    ctx.set(headers)
    ctx.body = body
  }

test('X5: a page that is answered over TLS asks for its sub-resources over https.', async t => {
  const { certificate, key } = await makeCertificate()
  const app = new Koa()
  app.use(forceHttps())
  app.use(page(PAGE))
  const server = https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, app.callback())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const request = https.get({ port, host: '127.0.0.1', ca: readFileSync(certificate), agent: false })
  const [response] = await once(request, 'response')
  t.is((await buffer(response)).toString(), SECURE)
  t.is(Number(response.headers['content-length']), Buffer.byteLength(SECURE))
})

for (const [name, body] of Object.entries({ text: PAGE, bytes: Buffer.from(PAGE) }))
  test(`X5: behind a proxy, a page of ${name} is rewritten with the right length, and HEAD says the same.`, async t => {
    const { get } = await startPagesApp(
      t,
      page(body, {
        ETag: '"abc"',
        'Accept-Ranges': 'bytes',
        'Content-MD5': 'x',
        Digest: 'x',
        'Content-Digest': 'x',
        'Repr-Digest': 'x',
        'X-Other': 'stays',
      }),
    )
    const got = await get()
    t.is(got.bytes.toString(), SECURE)
    t.is(Number(got.headers['content-length']), got.bytes.length)
    t.is(got.headers.etag, 'W/"abc"')
    t.is(got.headers['x-other'], 'stays')
    for (const field of ['accept-ranges', 'content-md5', 'digest', 'content-digest', 'repr-digest'])
      t.is(got.headers[field], undefined)
    const head = await get({ method: 'HEAD' })
    t.deepEqual({ ...head.headers, date: '' }, { ...got.headers, date: '' })
    t.is(head.bytes.length, 0)
  })

test('X5: over plain http nothing is touched.', async t => {
  const { get } = await startPagesApp(t, page(PAGE, { ETag: '"abc"', 'Accept-Ranges': 'bytes' }))
  const got = await get({ headers: { 'X-Forwarded-Proto': 'http' } })
  t.is(got.bytes.toString(), PAGE)
  t.is(got.headers.etag, '"abc"')
  t.is(got.headers['accept-ranges'], 'bytes')
})

for (const [name, headers, status] of [
  ['plain text', { 'Content-Type': 'text/plain' }],
  ['XHTML', { 'Content-Type': 'application/xhtml+xml' }],
  ['a type that begins alike', { 'Content-Type': 'text/html5' }],
  ['a compressed page', { 'Content-Encoding': 'gzip' }],
  ['a part of a page', { 'Content-Range': 'bytes 0-9/99' }, 206],
  ['a part that says so by its status alone', {}, 206],
  ['a part that says so by its range alone', { 'Content-Range': 'bytes 0-9/99' }],
  ['a page in UTF-16', { 'Content-Type': 'text/html; charset=UTF-16LE' }],
  ['a page in UTF-7', { 'Content-Type': 'text/html; charset=utf-7' }],
  ['a page in ISO-2022-JP', { 'Content-Type': 'text/html;charset="iso-2022-jp"' }],
  ['a page in HZ', { 'Content-Type': 'text/html; charset=hz-gb-2312' }],
] as const)
  test(`X5: ${name} is left alone, its fields too.`, async t => {
    const { get } = await startPagesApp(t, ctx => {
      ctx.type = 'html'
      ctx.set({ ETag: '"abc"', 'Accept-Ranges': 'bytes', ...headers })
      ctx.body = Buffer.from(PAGE)
      if (status) ctx.status = status
    })
    const got = await get()
    t.is(got.bytes.toString(), PAGE)
    t.is(got.headers.etag, '"abc"')
    t.is(got.headers['accept-ranges'], 'bytes')
  })

for (const type of [
  'text/html',
  'TEXT/HTML ; Charset="UTF-8"',
  'text/html;charset=latin1',
  'text/html; charset=Shift_JIS',
  'text/html; charset=gb18030',
  'text/html; level=1; charset=windows-1252',
])
  test(`X5: every byte of a page outside what is rewritten stays, as ${type}.`, async t => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter(byte => byte !== 0x3c))
    const around = (address: string) => Buffer.concat([bytes, Buffer.from(`<img src="${address}">`), bytes])
    const { get } = await startPagesApp(
      t,
      page(around('http://h'), { 'Content-Type': type, 'Content-Encoding': 'identity' }),
    )
    t.deepEqual((await get()).bytes, around('https://h'))
  })

test('X5: values that are sent as JSON, empty answers and redirections are left alone.', async t => {
  const { get } = await startPagesApp(t, ctx => {
    ctx.type = 'html'
    if (ctx.path === '/json') ctx.body = { page: PAGE }
    if (ctx.path === '/empty') ctx.body = null
    if (ctx.path === '/redirect') ctx.redirect('http://h.example/')
    if (ctx.path === '/nothing') ctx.status = 200
  })
  t.is((await get({ path: '/json' })).bytes.toString(), JSON.stringify({ page: PAGE }))
  t.is((await get({ path: '/empty' })).status, 204)
  const redirected = await get({ path: '/redirect' })
  t.is(redirected.headers.location, 'http://h.example/')
  t.is((await get({ path: '/nothing' })).bytes.toString(), 'OK')
})

test('X5: answers that bypass Koa, or whose head is sent, are left alone.', async t => {
  const { get } = await startPagesApp(t, ctx => {
    ctx.set({ 'Content-Type': 'text/html', ETag: '"abc"' })
    if (ctx.path === '/bypassed') {
      ctx.respond = false
      setImmediate(() => ctx.res.end(PAGE))
    } else ctx.flushHeaders()
    ctx.body = Readable.from([PAGE])
  })
  for (const path of ['/bypassed', '/sent']) {
    const got = await get({ path })
    t.is(got.bytes.toString(), PAGE)
    t.is(got.headers.etag, '"abc"')
  }
})

test('X5: a conditional request for a rewritten page is answered by 304 and the same tag, one for another thing by its own.', async t => {
  const { get } = await startPagesApp(t, ctx => {
    ctx.type = ctx.path === '/page' ? 'html' : 'png'
    ctx.body = PAGE
    ctx.status = 200
    ctx.etag = 'abc'
    if (ctx.fresh) {
      ctx.status = 304
      ctx.body = null
    }
  })
  for (const [path, tag] of [
    ['/page', 'W/"abc"'],
    ['/picture', '"abc"'],
  ] as const) {
    t.is((await get({ path })).headers.etag, tag)
    for (const method of ['GET', 'HEAD']) {
      const got = await get({ path, method, headers: { 'If-None-Match': `"other", ${tag}` } })
      t.deepEqual([got.status, got.headers.etag], [304, tag])
    }
  }
})

test('X5: a 304 that names no tag gets none.', async t => {
  const { get } = await startPagesApp(t, ctx => {
    ctx.status = 304
  })
  t.is((await get({ headers: { 'If-None-Match': 'W/"abc"' } })).headers.etag, undefined)
})

test('X5: a weak tag stays, and a page in which nothing was to change has a weak one too.', async t => {
  const { get } = await startPagesApp(t, ctx => page('<p>', { ETag: ctx.query.tag as string })(ctx, async () => {}))
  t.is((await get({ path: `/?tag=${encodeURIComponent('W/"a"')}` })).headers.etag, 'W/"a"')
  t.is((await get({ path: `/?tag=${encodeURIComponent('"a"')}` })).headers.etag, 'W/"a"')
})

test('X5: a HEAD whose handler makes no body says no length, which would be that of the page as it was.', async t => {
  const { get } = await startPagesApp(t, ctx => {
    ctx.status = 200
    ctx.type = 'html'
    ctx.length = PAGE.length
  })
  t.is((await get({ method: 'HEAD' })).headers['content-length'], undefined)
})

test('X5: twice is the same as once.', async t => {
  const { get } = await startPagesApp(t, forceHttps(), page(PAGE, { ETag: '"abc"' }))
  const got = await get()
  t.is(got.bytes.toString(), SECURE)
  t.is(got.headers.etag, 'W/"abc"')
})
