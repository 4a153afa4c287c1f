import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { jobsFeed } from './people.ts'

const RIGHT = 'zoë:pässwörd☃'

/** A feed with an ETag and a date, and a real curl that asks for it: what it answers is the status lines, the header and the body. */
async function feed(t: ExecutionContext) {
  const { port, store } = await jobsFeed(t, {
    handler: ctx => {
      ctx.set('ETag', '"v1"')
      ctx.set('Last-Modified', 'Sat, 07 Nov 2026 10:00:00 GMT')
      ctx.body = `<feed>${ctx.state.user.username}</feed>`
      if (ctx.fresh) {
        ctx.status = 304
        ctx.body = null
      }
    },
  })
  const curl = async (...args: string[]) => {
    const given = ['-q', '-s', '-i', '--noproxy', '*', '--max-time', '30', ...args, `http://127.0.0.1:${port}/feed`]
    const { stdout } = await promisify(execFile)('curl', given)
    return { statuses: [...stdout.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status)), text: stdout }
  }
  return { curl, store }
}

test('B1: curl opens the feed with a name and a password that are not ASCII', async t => {
  const { curl, store } = await feed(t)
  const { statuses, text } = await curl('-u', RIGHT)
  t.deepEqual(statuses, [200])
  t.true(text.endsWith('<feed>zoë</feed>'))
  t.notRegex(text, /set-cookie/i)
  t.deepEqual(store.calls, [])
})

test('B1: curl that waits for the challenge is challenged, and opens the feed then', async t => {
  const { curl } = await feed(t)
  t.deepEqual((await curl('--anyauth', '-u', RIGHT)).statuses, [401, 200])
})

test('B1: curl with a wrong password, and without one, is challenged', async t => {
  const { curl } = await feed(t)
  for (const args of [['-u', 'zoë:passwörd☃'], []]) {
    const { statuses, text } = await curl(...args)
    t.deepEqual(statuses, [401])
    t.regex(text, /\r\nWWW-Authenticate: Basic realm="Jobs", charset="UTF-8"\r\n/)
  }
})

test('B2: curl with another scheme is 401', async t => {
  const { curl } = await feed(t)
  t.deepEqual((await curl('--oauth2-bearer', 'abc')).statuses, [401])
  t.deepEqual((await curl('-H', 'Authorization: Basic %%')).statuses, [401])
})

test('B3: curl -I gets the header of the GET and no body', async t => {
  const { curl } = await feed(t)
  const header = ({ text }: { text: string }) => text.split('\r\n\r\n')[0]!.replace(/\r\nDate: .*/, '')
  const [get, head] = [await curl('-u', RIGHT), await curl('-I', '-u', RIGHT)]
  t.is(header(head), header(get))
  t.true(head.text.endsWith('\r\n\r\n'))
  t.deepEqual((await curl('-I')).statuses, [401])
})

test('B3: curl -z and If-None-Match get 304 with the right password, and 401 with a wrong one or none', async t => {
  const { curl } = await feed(t)
  const conditions = [
    ['-z', 'Sat, 07 Nov 2026 10:00:00 GMT'],
    ['-H', 'If-None-Match: "v1"'],
    ['-H', 'If-None-Match: W/"v1", "v0"'],
  ]
  for (const condition of conditions) {
    t.deepEqual((await curl('-u', RIGHT, ...condition)).statuses, [304])
    t.deepEqual((await curl('-u', 'zoë:wrong', ...condition)).statuses, [401])
    t.deepEqual((await curl(...condition)).statuses, [401])
  }
  t.deepEqual((await curl('-u', RIGHT, '-z', 'Fri, 06 Nov 2026 10:00:00 GMT')).statuses, [200])
})

test("B3: curl that keeps the feed's ETag in a file polls it with 304", async t => {
  const { curl } = await feed(t)
  const directory = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const etag = join(directory, 'etag')
  t.deepEqual((await curl('-u', RIGHT, '--etag-save', etag)).statuses, [200])
  t.deepEqual((await curl('-u', RIGHT, '--etag-compare', etag)).statuses, [304])
})
