import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { makeCertificate } from '../../test/servers/certificate.ts'
import { startHaproxy } from '../../test/servers/haproxy.ts'
import { proxyConfiguration } from './proxy.ts'

const run = promisify(execFile)

interface Ask {
  protocol: string
  method: 'GET' | 'POST'
  /** What to make of haproxy.cfg before it is used. */
  adapt?: (configuration: string) => string
}

/**
 * What comes of a request that two processes die over, one after the other, and that is not the first one of curl's connection: how often they saw
 * it, and the status that curl has got in the end.
 */
async function dying(t: ExecutionContext, { protocol, method, adapt = text => text }: Ask) {
  let seen = 0
  const apps = await Promise.all(
    [1, 2].map(async () => {
      const server = createServer((request, response) => {
        if (request.url !== '/die') return response.end()
        seen++
        request.socket.destroy()
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.teardown(() => server.close())
      return (server.address() as AddressInfo).port
    }),
  )
  const certificate = await makeCertificate()
  let origin = ''
  await startHaproxy(t, {
    morePorts: 1,
    configuration({ port, morePorts: [https = 0] }) {
      origin = `https://127.0.0.1:${https}`
      return adapt(proxyConfiguration({ ports: { http: port, https }, apps, certificate: certificate.both }))
    },
  })
  const client = ['--silent', `--${protocol}`, '--cacert', certificate.certificate, '--output', '/dev/null']
  const first = [...client, `${origin}/`]
  const second = [...client, '--write-out', '%{http_code}', ...(method === 'POST' ? ['--data', ''] : [])]
  const { stdout } = await run('curl', [...first, '--next', ...second, `${origin}/die`]).catch(
    (error: { stdout: string }) => error,
  )
  return { seen, status: stdout }
}

for (const protocol of ['http1.1', 'http2']) {
  test(`Over ${protocol}, a POST that a process dies over is answered with 502, and done at most once.`, async t => {
    t.deepEqual(await dying(t, { protocol, method: 'POST' }), { seen: 1, status: '502' })
  })

  test(`Over ${protocol}, the control: where HAProxy closes the connection without a word, curl sends the POST again.`, async t => {
    const adapt = (text: string) => text.replace('default_backend once', 'default_backend processes')
    t.true((await dying(t, { protocol, method: 'POST', adapt })).seen > 1)
  })
}

test('A GET that a process dies over is asked of the other one.', async t => {
  const { seen, status } = await dying(t, { protocol: 'http1.1', method: 'GET' })
  t.true(seen > 1)
  t.is(status, '502')
})
