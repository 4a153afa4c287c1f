import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { freePort } from '../servers/port.ts'
import { sharedServer } from '../servers/shared.ts'
import { cli, cliJson, SERVER_PASSWORD } from './cli.ts'

const PASSWORD = encodeURIComponent(SERVER_PASSWORD)

/** How each server is named on a port. */
const SERVERS: Record<string, (port: number) => string[]> = {
  mysql: port => ['sessions', 'alice', '--database', `mysql://root:${PASSWORD}@127.0.0.1:${port}/app`],
  postgresql: port => ['sessions', 'alice', '--database', `postgresql://root:${PASSWORD}@127.0.0.1:${port}/app`],
  redis: port => ['sessions', 'ldap:alice', '--store', `redis://:${PASSWORD}@127.0.0.1:${port}/0`],
  memcached: port => ['revoke', 'ldap:alice', '--store', `memcached://127.0.0.1:${port}`],
}

for (const [name, words] of Object.entries(SERVERS)) {
  test(`${name}: where nobody listens the command ends with 4, and says where.`, async t => {
    const port = await freePort()
    const { code, json } = await cliJson(t, words(port))
    t.is(code, 4)
    t.is(json.error.code, 'UNREACHABLE')
    t.regex(json.error.message, new RegExp(`127\\.0\\.0\\.1:${port}.* cannot be used: .*ECONNREFUSED`))
  })

  test(`${name}: a server that accepts and never answers is given up after five seconds.`, async t => {
    const port = await silentServer(t)
    const begun = performance.now()
    const { code, stderr } = await cli(t, words(port))
    t.is(code, 4)
    t.regex(stderr, /^koa-strata: .+ cannot be used: .+\n$/)
    t.true(performance.now() - begun < 60_000)
  })
}

test('A file that is not there is none to make, unless for migrate, and a file that is no database is told so.', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const [missing, text] = [join(directory, 'missing.db'), join(directory, 'text.db')]
  const absent = await cli(t, ['sessions', 'alice', '--database', missing])
  t.is(absent.code, 4)
  t.regex(absent.stderr, /there is no such file\. koa-strata migrate makes one/)
  t.false(existsSync(missing))
  await writeFile(text, 'This is no database, but a text that is long enough to be looked at.'.repeat(20))
  t.is((await cli(t, ['migrate', '--database', text])).code, 4)
  const store = await cliJson(t, ['sessions', 'ldap:alice', '--store', `file:${join(directory, 'sessions')}`])
  t.is(store.code, 4)
  t.false(existsSync(join(directory, 'sessions')))
  await chmod(directory, 0o755)
  t.regex((await cli(t, ['sessions', 'ldap:a', '--store', `file:${directory}`])).stderr, /is open to others/)
})

test('A package that is not installed is named, with the line that installs it.', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const without = async (...names: string[]) => {
    const hook = join(directory, `without-${names}.mjs`)
    const refused = `Object.assign(new Error("Cannot find package '" + specifier + "'"), { code: 'ERR_MODULE_NOT_FOUND' })`
    await writeFile(
      hook,
      `import { registerHooks } from 'node:module'
      registerHooks({ resolve(specifier, context, next) { if (${JSON.stringify(names)}.includes(specifier)) throw ${refused}; return next(specifier, context) } })`,
    )
    return ['--import', hook]
  }
  const file = join(directory, 'app.db')
  const cases: [name: string, words: string[]][] = [
    ['knex', ['migrate', '--database', file]],
    ['better-sqlite3', ['migrate', '--database', file]],
    ['mysql2', ['migrate', '--database', 'mysql://127.0.0.1/app']],
    ['pg', ['migrate', '--database', 'postgresql://127.0.0.1/app']],
    ['redis', ['sessions', 'ldap:a', '--store', 'redis://127.0.0.1']],
    ['memcache-client', ['sessions', 'ldap:a', '--store', 'memcached://127.0.0.1']],
  ]
  await Promise.all(
    cases.map(async ([name, words]) => {
      const { code, json } = await cliJson(t, words, { node: await without(name, 'ioredis'), cwd: directory })
      t.is(code, 4)
      t.is(json.error.code, 'PACKAGE_MISSING')
      t.true(json.error.message.endsWith(`npm install ${name}`), json.error.message)
    }),
  )
  const [redis] = await sharedServer('redis')
  const other = await cli(t, ['sessions', 'ldap:a', '--store', redis!], {
    node: await without('redis'),
    cwd: directory,
  })
  t.deepEqual(other, { code: 0, stdout: 'ldap:a has 0 sessions.\n', stderr: '' })
})

/** A port that takes connections and says nothing. */
async function silentServer(t: ExecutionContext): Promise<number> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer(socket => sockets.add(socket.on('error', () => {})))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
