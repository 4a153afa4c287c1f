import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { sqlUsers } from 'koa-strata/sql'
import { sharedServer } from '../../servers/shared.ts'
import { cli, PASSWORD, SERVER_PASSWORD } from '../cli.ts'
import { type UrlDatabase, urlDatabase } from '../databases.ts'

interface Found {
  check: string
  status: string
  message: string
}
type Environment = Record<string, string>

const APP = new URL('apps/shared.ts', import.meta.url).pathname
/** Longer than what happens to stand in a fingerprint. */
const PERSON = 'annabella.winter'
const SHARED = ['shared keys', 'shared cookie', 'shared timeout', 'shared store', 'shared users']

async function folder(t: ExecutionContext) {
  const path = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Looks at an application of this environment; the findings by check, and what is not ok among those about the shared login. */
async function doctor(t: ExecutionContext, env: Environment, words: readonly string[], input = '') {
  const { code, stdout } = await cli(t, ['doctor', '--app', APP, '--json', ...words], {
    env: { NODE_ENV: 'production', ...env },
    input,
  })
  const found: Found[] = JSON.parse(stdout).findings
  const shared = found.filter(({ check }) => check.startsWith('shared ') || check === 'card')
  const wrong = shared.filter(({ status }) => status !== 'ok' && status !== 'skipped')
  return { code, shared, wrong: wrong.map(({ check, status }) => `${check}: ${status}`) }
}

const newKey = () => randomBytes(32).toString('base64')
const newDirectory = async (t: ExecutionContext) => `file:${join(await folder(t), 'sessions')}`

/** A database with somebody who has a password. */
async function peopled(t: ExecutionContext, name: 'mariadb' | 'sqlite'): Promise<UrlDatabase> {
  const database = await urlDatabase(t, name)
  await sqlUsers(database.knex).create({ username: PERSON, password: PASSWORD })
  return database
}

test('Of two applications each thing that is not shared is told, by a card without a secret that one of them wrote.', async t => {
  const { url, knex } = await peopled(t, 'mariadb')
  const card = join(await folder(t), 'shop.json')
  const [first, second] = [newKey(), newKey()]
  const shop = {
    SITE_KEYS: `${first},${second}`,
    SITE_DOMAIN: 'example.org',
    SITE_STORE: await newDirectory(t),
    SITE_DATABASE: url,
  }
  const written = await doctor(t, shop, ['--write-card', card])
  t.deepEqual(written.wrong, [])
  t.is(written.code, 0)

  const text = await readFile(card, 'utf8')
  t.is((await stat(card)).mode & 0o777, 0o600)
  const { password } = await knex('users').first('password')
  const { stamp } = (await sqlUsers(knex).find({ username: PERSON }))!
  const { host, username, pathname } = new URL(url)
  const secrets = [first, second, Buffer.from(first).toString('hex'), Buffer.from(first, 'base64').toString('hex')]
  const addresses = [url, host, username, pathname.slice(1), SERVER_PASSWORD, encodeURIComponent(SERVER_PASSWORD)]
  for (const hidden of [...secrets, ...addresses, password, stamp, PASSWORD, PERSON, shop.SITE_STORE.slice(5)])
    t.false(text.includes(hidden), hidden)

  const same = await doctor(t, shop, ['--compare', card, '--compare', '-'], text)
  t.is(same.code, 0)
  t.deepEqual(
    same.shared.filter(({ status }) => status === 'ok').map(({ check }) => check),
    [...SHARED, ...SHARED],
  )
  t.true(same.shared.some(({ message }) => message.startsWith('shop: ')))

  const { url: another } = await peopled(t, 'sqlite')
  const apart: [change: Environment, told: string[]][] = [
    [{ SITE_KEYS: newKey() }, ['shared keys: problem', 'shared keys: problem']],
    [
      { SITE_DOMAIN: 'forum.example.org', SITE_STORE: await newDirectory(t) },
      ['shared cookie: problem', 'shared store: problem'],
    ],
    [{ SITE_KEYS: `${second},${first}`, SITE_DATABASE: another }, ['shared keys: warning', 'shared users: problem']],
  ]
  for (const [change, told] of apart) {
    const { code, wrong } = await doctor(t, { ...shop, ...change }, ['--compare', card])
    t.deepEqual(wrong, told, Object.keys(change).join())
    t.is(code, told.some(one => one.endsWith('problem')) ? 1 : 0)
  }
})

test('A card that is none, or that nobody can read, is a problem that keeps nothing else from being looked at.', async t => {
  const path = await folder(t)
  const [none, poor, newer] = ['none', 'poor', 'newer'].map(name => join(path, `${name}.json`)) as [
    string,
    string,
    string,
  ]
  await writeFile(poor, JSON.stringify({ 'koa-strata card': 1, writtenAt: '\u001b[31m' }))
  await writeFile(newer, '{"koa-strata card":2}')
  const env = {
    SITE_KEYS: newKey(),
    SITE_STORE: await newDirectory(t),
    SITE_DATABASE: (await urlDatabase(t, 'sqlite')).url,
  }
  const files = [none, poor, newer, path, '-'].flatMap(file => ['--compare', file])
  const { code, shared } = await doctor(t, env, [...files, '--write-card', join(path, 'none', 'card.json')], 'no JSON')
  t.is(code, 1)
  t.deepEqual(
    shared.map(({ status, message }) => `${status} ${message.replace(path, '').replace(/, (open|read|mkdir).*/, '')}`),
    [
      'problem /none/card.json cannot be written: ENOENT: no such file or directory',
      'problem /none.json cannot be compared with: ENOENT: no such file or directory',
      'problem /poor.json cannot be compared with: it is no card that koa-strata doctor has written: writtenAt is not as it must be.',
      'problem /newer.json cannot be compared with: it is a card of another version of koa-strata: write it by the version that is here.',
      'problem  cannot be compared with: EISDIR: illegal operation on a directory',
      'problem stdin cannot be compared with: it is no JSON.',
    ],
  )
})

test('Two applications on one Redis are told by its prefix, also where that is named to the command.', async t => {
  const [redis] = (await sharedServer('redis')) as [string]
  const card = join(await folder(t), 'shop.json')
  const shop = {
    SITE_KEYS: newKey(),
    SITE_STORE: redis,
    SITE_PREFIX: `doctor-${randomBytes(8).toString('hex')}:`,
    SITE_DATABASE: (await peopled(t, 'sqlite')).url,
  }
  t.deepEqual((await doctor(t, shop, ['--write-card', card])).wrong, [])
  t.false((await readFile(card, 'utf8')).includes(shop.SITE_PREFIX))
  const forum = { ...shop, SITE_PREFIX: 'other:' }
  const unknownHosts = 'shared cookie: warning'
  t.deepEqual((await doctor(t, forum, ['--compare', card])).wrong, [unknownHosts, 'shared store: problem'])
  const named = ['--store', redis, '--store-prefix', shop.SITE_PREFIX]
  t.deepEqual((await doctor(t, forum, ['--compare', card, ...named])).wrong, [unknownHosts])
})

test('A card is written and compared where there is an application to look at, and nowhere else.', async t => {
  const path = await folder(t)
  for (const words of [
    ['--write-card', join(path, 'shop.json')],
    ['--compare', 'shop.json'],
  ]) {
    const { code, stderr } = await cli(t, ['doctor', ...words])
    t.is(code, 2)
    t.regex(stderr, /--write-card and --compare need --app/)
  }
  const nothing = await cli(t, ['doctor', '--app', join(path, 'absent.ts'), '--compare', 'shop.json'])
  t.is(nothing.code, 1)
  t.regex(nothing.stdout, /skipped +card +none was written or compared/)
  t.deepEqual(await readdir(path), [])
})
