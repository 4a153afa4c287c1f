import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'

const root = new URL('..', import.meta.url)

/** Runs README's complete app, the very text, and answers its address. */
async function startReadmeApp(t: ExecutionContext): Promise<string> {
  const readme = await readFile(new URL('README.md', root), 'utf8')
  const source = /## A complete app[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)?.[1]
  if (source === undefined) throw new Error('README.md has no complete app')
  const app = spawn(process.execPath, ['--conditions=koa-strata:source', '--input-type=module-typescript'], {
    cwd: root,
    env: { ...process.env, PORT: '0', NODE_ENV: 'test' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(async () => {
    app.kill()
    if (app.exitCode === null && app.signalCode === null) await once(app, 'exit')
  })
  app.stdin.end(source)
  let said = ''
  for await (const line of createInterface(app.stdout)) {
    said += line
    const port = /port: (\d+)/.exec(said)?.[1]
    if (port !== undefined) return `http://127.0.0.1:${port}`
  }
  throw new Error(`the app ended before it listened: ${said}`)
}

function post(address: string, form: Record<string, string>, cookie = ''): Promise<Response> {
  return fetch(address, { method: 'POST', body: new URLSearchParams(form), headers: { cookie }, redirect: 'manual' })
}

function cookieOf(response: Response): string {
  return response.headers.get('set-cookie')?.split(';')[0] ?? ''
}

test("README's complete app logs both kinds of people in, shows their pages and serves their feed", async t => {
  const address = await startReadmeApp(t)

  const refused = await post(`${address}/login`, { username: 'ada', password: 'wrong' })
  t.is(refused.status, 401)

  const employer = cookieOf(
    await post(`${address}/login`, { username: 'ADA@example.com', password: 'ada-demo-password' }),
  )
  t.regex(await (await fetch(address, { headers: { cookie: employer } })).text(), /employer at Analytical Engines/)
  t.is(await (await fetch(`${address}/company`, { headers: { cookie: employer } })).text(), 'Analytical Engines')

  const partner = cookieOf(await post(`${address}/login`, { username: 'noor', password: 'partner-demo-password' }))
  t.regex(await (await fetch(address, { headers: { cookie: partner } })).text(), /expert in recruiting/)
  t.is((await fetch(`${address}/company`, { headers: { cookie: partner } })).status, 403)

  const challenged = await fetch(`${address}/openings.txt`)
  t.is(challenged.status, 401)
  t.is(challenged.headers.get('www-authenticate'), 'Basic realm="Openings", charset="UTF-8"')
  const authorization = `Basic ${Buffer.from('noor:partner-demo-password').toString('base64')}`
  t.is(await (await fetch(`${address}/openings.txt`, { headers: { authorization } })).text(), 'Openings for noor')

  await post(`${address}/logout`, {}, employer)
  t.is((await fetch(`${address}/company`, { headers: { cookie: employer } })).status, 401)
})
