import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { cli } from '../../test/cli/cli.ts'
import { fillDatabases } from './example.ts'
import { DEADLINE } from './test-organisation.ts'

const APP = new URL('deployed.ts', import.meta.url).pathname

test('The doctor, who compares the forum with the card of the shop, finds one login, and tells what is not the same.', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'shared-login-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const databases = { people: join(folder, 'people'), shop: join(folder, 'shop'), forum: join(folder, 'forum') }
  await fillDatabases(databases)
  const shared = {
    PEOPLE: databases.people,
    SESSIONS: join(folder, 'sessions'),
    KEYS: 'Zm9vIGJhciBiYXogcXV4IHF1dXggY29yZ2U=',
    DOMAIN: 'teas.localhost',
    DEADLINE: String(DEADLINE),
  }
  const card = join(folder, 'shop.json')
  const doctor = async (env: Record<string, string>, ...words: string[]) => {
    const { stdout } = await cli(t, ['doctor', '--app', APP, '--json', ...words], { env: { ...shared, ...env } })
    const { findings } = JSON.parse(stdout) as { findings: { check: string; status: string }[] }
    return findings.filter(({ check }) => check.startsWith('shared ')).map(({ check, status }) => `${check}: ${status}`)
  }
  await doctor({ APP: 'shop', DATABASE: databases.shop }, '--write-card', card)
  const forum = { APP: 'forum', DATABASE: databases.forum }
  const found = await doctor(forum, '--compare', card)
  t.true(found.includes('shared keys: ok') && found.includes('shared users: ok'), found.join())
  t.deepEqual(
    found.filter(one => one.endsWith('problem')),
    [],
  )
  const apart = { ...forum, KEYS: 'YW5vdGhlciBrZXkgb2YgYW5vdGhlciBhcHAgISE=', SESSIONS: join(folder, 'others') }
  const problems = (await doctor(apart, '--compare', card)).filter(one => one.endsWith('problem'))
  t.true(problems.includes('shared keys: problem') && problems.includes('shared store: problem'), problems.join())
})
