import test from 'ava'
import { sessions, stack, users } from 'koa-strata'
import { LASTS } from '../../../../lib/cli/doctor/card/card.ts'
import { atPath } from '../../../../lib/sharing/realm-matches.ts'
import { realms } from '../../../../lib/sharing/realms.ts'
import { bothWays, compared, deployed, deployment, drawn, KEYS } from '../deployment.ts'

const HOUR = 3_600_000
const KEY = KEYS.slice(0, 1)
const statuses = (found: readonly { check: string; status: string }[]) =>
  found.map(({ check, status }) => `${check}: ${status}`)

test('Sessions that last differently are told by how long.', async t => {
  const own = deployment({ idleTimeout: 12 * HOUR, absoluteTimeout: 24 * HOUR })
  t.deepEqual(
    await bothWays(own, deployment({ idleTimeout: 12 * HOUR, absoluteTimeout: 24 * HOUR }), 'shared timeout'),
    [['ok'], ['ok']],
  )
  const found = await compared(own, (await drawn(deployment({ idleTimeout: 90 * 60_000 }))).card, 'shared timeout')
  t.deepEqual(
    found.map(({ status, message }) => [status, message.replace(/:[^:]*$/, '')]),
    [
      ['warning', 'shop: idleTimeout is 12 hours here and 90 minutes there'],
      ['warning', 'shop: absoluteTimeout is 1 day here and 30 days there'],
    ],
  )
})

test('A card that is older than an hour says so, and what may have changed since is not compared by it.', async t => {
  const own = deployment()
  const { card } = await drawn(own)
  const fresh = statuses(await compared(own, card, '', card.writtenAt + LASTS - 1))
  t.false(fresh.includes('card: warning'))
  for (const now of [card.writtenAt + LASTS, card.writtenAt - LASTS]) {
    const found = statuses(await compared(own, card, '', now))
    for (const one of ['card: warning', 'shared keys: ok', 'shared store: skipped', 'shared users: skipped'])
      t.true(found.includes(one), one)
  }
})

test('Of several logins those of one cookie are compared, and the others are left apart.', async t => {
  const login = (name: string, domain: string | undefined, key: string[]) =>
    stack(sessions({ keys: key, cookie: { name, domain, secure: true } }))
  const both = (admin: string[], site: string[], domain?: string) =>
    deployed([
      realms({
        admin: { match: atPath('/admin'), stack: login('admin', undefined, admin) },
        site: { stack: login('sid', domain, site) },
      }),
    ])
  const shop = both(KEYS.slice(1, 2), KEY, 'example.org')
  const { card } = await drawn(shop)
  t.deepEqual(statuses(await compared(both(KEYS.slice(2), KEY, 'example.org'), card, 'shared keys')), [
    'shared keys: ok',
  ])

  const otherDomain = await compared(both(KEYS.slice(2), KEY, 'shop.example.org'), card)
  t.true(statuses(otherDomain).includes('shared cookie: problem'))
  t.true(otherDomain.some(({ message }) => message.startsWith('shop, cookie __Host-admin: ')))

  const alone = deployed([login('other', 'example.org', KEY)])
  const [none, ...more] = await compared(alone, card)
  t.like(none, { check: 'shared cookie', status: 'problem' })
  t.regex(none!.message, /__Secure-other here, __Host-admin, __Secure-sid there/)
  t.deepEqual(more, [])
})

test('Users are those of the sessions before them.', async t => {
  const backend = (name: string) => ({ name, load: async () => null })
  const app = deployed([
    sessions({ keys: KEY, cookie: { name: 'admin' } }),
    stack(sessions({ keys: KEY }), users({ backends: [backend('one')] }), users({ backends: [backend('two')] })),
  ])
  const { logins } = (await drawn(app)).card
  t.deepEqual(
    logins.map(({ cookie, backends }) => [cookie.name, backends?.map(({ name }) => name)]),
    [
      ['admin', undefined],
      ['sid', ['one']],
    ],
  )
})

test('An application without sessions has nothing to share.', async t => {
  const [none] = await compared(deployed([]), (await drawn(deployment())).card)
  t.like(none, { check: 'shared cookie', status: 'problem' })
  t.regex(none!.message, /none here, sid there/)
})
