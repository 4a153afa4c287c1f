import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { checkSite } from '../../../lib/cli/doctor/site.ts'
import { freePort } from '../../servers/port.ts'
import { cliJson } from '../cli.ts'

const COOKIE = '__Host-sid=hidden-value; Path=/; HttpOnly; Secure; SameSite=Lax'

/** Serves answers with these headers until the test is over. */
async function serve(
  t: ExecutionContext,
  server: http.Server,
  status: number,
  headers: http.OutgoingHttpHeaders,
): Promise<string> {
  server.on('request', (_, response) => {
    response.writeHead(status, headers).end('page')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A key and a certificate for 127.0.0.1 that nobody knows but who is told. */
async function certificate(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  await promisify(execFile)('openssl', ['req', '-x509', ...options, ...subject, '-keyout', keyFile, '-out', certFile])
  return { key: await readFile(keyFile), cert: await readFile(certFile), certFile }
}

/** What the doctor says of a site, by check. */
async function look(t: ExecutionContext, url: string, env: Record<string, string> = {}) {
  const { code, json } = await cliJson(t, ['doctor', '--url', url], { env })
  t.false(JSON.stringify(json).includes('hidden-value'))
  const found: Record<string, { status: string; message: string }> = {}
  for (const one of json.findings) found[one.check] = one
  return { code, found }
}

test('A site over https is fine with HSTS and a cookie that is Secure, and told where it is not.', async t => {
  const { key, cert, certFile } = await certificate(t)
  const env = { NODE_EXTRA_CA_CERTS: certFile }
  const server = () => https.createServer({ key, cert })
  const headers = {
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'set-cookie': [COOKIE, 'theme=dark'],
  }
  const good = await look(t, `https://user:secret@${await serve(t, server(), 200, headers)}/login`, env)
  t.is(good.code, 0)
  t.like(good.found, { hsts: { status: 'ok' }, cookie: { status: 'ok' }, redirect: { status: 'skipped' } })

  const poor = await look(
    t,
    `https://${await serve(t, server(), 200, { 'set-cookie': 'sid=hidden-value; Path=/; HttpOnly; SameSite=Lax' })}/`,
    env,
  )
  t.is(poor.code, 1)
  t.like(poor.found, { hsts: { status: 'warning' }, cookie: { status: 'problem' } })
  const brief = await serve(t, server(), 200, { 'strict-transport-security': 'max-age=300' })
  t.like((await look(t, `https://${brief}`, env)).found, { hsts: { status: 'warning' }, cookie: { status: 'skipped' } })
  const unknown = await look(t, `https://${await serve(t, server(), 200, headers)}/`)
  t.is(unknown.code, 1)
  t.regex(unknown.found.site!.message, /does not answer: .*(self-signed|certificate)/)
})

test('A site over http is to lead to https.', async t => {
  const lead = (location: string, status = 301) => serve(t, http.createServer(), status, { location })
  t.like(await look(t, `http://${await lead('https://example.org/')}`), {
    code: 0,
    found: { redirect: { status: 'ok' } },
  })
  t.like(await look(t, `http://${await lead('http://example.org/')}`), {
    code: 1,
    found: { redirect: { status: 'problem' } },
  })
  t.like(await look(t, `http://${await lead('https://example.org/', 200)}`), {
    code: 1,
    found: { redirect: { status: 'problem' } },
  })
})

test('A site that is not there is a problem.', async t => {
  const { code, found } = await look(t, `http://127.0.0.1:${await freePort()}/`)
  t.is(code, 1)
  t.regex(found.site!.message, /ECONNREFUSED/)
})

test.serial(
  'A site on the usual ports is asked once over each of them, without what its address holds of a user.',
  async t => {
    const original = globalThis.fetch
    t.teardown(() => {
      globalThis.fetch = original
    })
    const url = new URL('https://user:secret@example.org/login')
    const lookWhere = async (plain: () => Response | never) => {
      const asked: string[] = []
      globalThis.fetch = async input => {
        asked.push(String(input))
        return String(input).startsWith('http:') ? plain() : new Response('page')
      }
      const found = await checkSite(url, [], { isProduction: true, url })
      t.deepEqual(asked, ['https://example.org/login', 'http://example.org/login'])
      return found.find(({ check }) => check === 'redirect')?.status
    }
    t.is(await lookWhere(() => Response.redirect('https://example.org/', 308)), 'ok')
    t.is(await lookWhere(() => new Response('page')), 'problem')
    t.is(
      await lookWhere(() => {
        throw new TypeError('fetch failed')
      }),
      'ok',
    )
  },
)
