import { randomBytes } from 'node:crypto'
import test from 'ava'
import { freePort } from '../../servers/port.ts'
import { sharedServer } from '../../servers/shared.ts'
import { cli, cliJson } from '../cli.ts'
import { emptyDatabase, urlDatabase } from '../databases.ts'

interface Found {
  check: string
  status: string
  message: string
}

const appAt = (name: string) => new URL(`apps/${name}.ts`, import.meta.url).pathname
const key = () => randomBytes(32).toString('base64')
const statuses = (found: Found[], check: string) => found.flatMap(one => (one.check === check ? one.status : []))

test('A deployment that is as it should be has no problem, and ends with 0 though the app holds things open.', async t => {
  const { url } = await urlDatabase(t, 'sqlite')
  const keys = [key(), key()]
  const env = { NODE_ENV: 'production', SITE_DATABASE: url.replace('sqlite:', ''), SITE_KEYS: keys.join(',') }
  const { code, stdout, stderr } = await cli(t, ['doctor', '--app', appAt('good'), '--database', url, '--json'], {
    env,
  })
  const { ok, problems, warnings, findings } = JSON.parse(stdout)
  t.deepEqual({ code, ok, problems, warnings }, { code: 0, ok: true, problems: 0, warnings: 0 })
  // What the app prints is not ours.
  t.is(stderr, 'starting\nending\n')
  for (const check of [
    'environment',
    'cookie',
    'proxy',
    'keys',
    'database',
    'migrations',
    'store',
    'passwords',
    'sweep',
  ])
    t.deepEqual(statuses(findings, check), ['ok'], check)
  for (const one of keys) t.false(stdout.includes(one))
})

test('A deployment that is not has its problems told, and ends with 1.', async t => {
  const words = ['doctor', '--app', appAt('poor'), '--json']
  const { code, stdout } = await cli(t, words, { env: { NODE_ENV: 'production' } })
  const { ok, findings } = JSON.parse(stdout)
  t.is(code, 1)
  t.false(ok)
  t.deepEqual(statuses(findings, 'keys'), ['problem', 'problem'])
  t.deepEqual(statuses(findings, 'cookie'), ['warning', 'problem'])
  t.deepEqual(statuses(findings, 'proxy'), ['warning'])
  t.deepEqual(statuses(findings, 'store'), ['problem', 'problem'])
  t.notRegex(stdout, /my secret session key/)
  const elsewhere = await cli(t, words, {})
  t.deepEqual(statuses(JSON.parse(elsewhere.stdout).findings, 'environment'), ['warning'])
})

test('An app that cannot be looked at is a problem that says why.', async t => {
  const refused = await cli(t, ['doctor', '--app', appAt('refused')])
  t.is(refused.code, 1)
  t.regex(refused.stdout, /problem +app .+'co\.uk' is a public suffix/)
  t.regex((await cli(t, ['doctor', '--app', appAt('none')])).stdout, /it exports no Koa app/)
  t.regex((await cli(t, ['doctor', '--app', appAt('absent')])).stdout, /problem +app .+Cannot find module/)
})

test('What was not named is skipped, with what would let it be seen.', async t => {
  const { code, json } = await cliJson(t, ['doctor'])
  t.is(code, 0)
  t.true(json.findings.every((one: Found & { advice?: string }) => one.status === 'skipped' && one.advice))
  t.deepEqual(
    json.findings.map(({ check }: Found) => check),
    ['app', 'keys', 'database', 'store', 'site'],
  )
})

test('Keys are read from a variable that is named.', async t => {
  const look = async (SITE_KEYS: string) =>
    (await cli(t, ['doctor', '--keys-from', 'SITE_KEYS'], { env: { SITE_KEYS } })).stdout
  t.regex(await look(`${key()},${key()}`), /ok +keys +\$SITE_KEYS holds 2 keys/)
  t.regex(await look('password'), /problem +keys +\$SITE_KEYS\[0\] is no text or bytes of at least 32 bytes/)
  t.regex((await cli(t, ['doctor', '--keys-from', 'NO_SUCH'])).stdout, /problem +keys +\$NO_SUCH holds no array/)
})

test('A database and a store that cannot be reached are problems, and keep nobody from looking at the rest.', async t => {
  const port = await freePort()
  const [redis] = await sharedServer('redis')
  const down = await cliJson(t, ['doctor', '--database', `mysql://u:p@127.0.0.1:${port}/x`, '--store', redis!])
  t.is(down.code, 1)
  t.deepEqual(statuses(down.json.findings, 'database'), ['problem'])
  t.deepEqual(statuses(down.json.findings, 'store'), ['ok'])
  const { url } = await urlDatabase(t, 'mariadb')
  const away = await cliJson(t, ['doctor', '--database', url, '--store', `redis://127.0.0.1:${port}`])
  t.deepEqual(statuses(away.json.findings, 'store'), ['problem'])
  for (const check of ['database', 'clock', 'migrations', 'passwords'])
    t.deepEqual(statuses(away.json.findings, check), ['ok'])
})

test('A database that was never migrated is told so, and its tables are not looked for.', async t => {
  const { url } = await emptyDatabase(t, 'postgresql')
  const { code, json } = await cliJson(t, ['doctor', '--database', url])
  t.is(code, 1)
  t.deepEqual(statuses(json.findings, 'migrations'), ['problem'])
  t.deepEqual(statuses(json.findings, 'passwords'), [])
})
