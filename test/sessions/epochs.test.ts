import test from 'ava'
import { Epochs } from '../../lib/sessions/epochs.ts'
import { storeId } from '../../lib/sessions/id.ts'
import { recorded } from './app.ts'
import { STORES } from './stores.ts'

const MONTH = 30 * 86_400_000

for (const [name, { setup }] of Object.entries(STORES)) {
  test(`S4: ${name}: the first login makes a user's epoch, later ones find it, and renewing gives another each time.`, async t => {
    const { open, now } = await setup(t)
    const epochs = new Epochs(await open(), MONTH, now)
    t.is(await epochs.current('ldap:ada'), '')
    const first = await epochs.bind('ldap:ada')
    t.regex(first, /^[\w-]{43}$/)
    t.is(await epochs.current('ldap:ada'), first)
    t.is(await epochs.bind('ldap:ada'), first)
    const second = await epochs.renew('ldap:ada')
    t.not(second, first)
    t.is(await epochs.current('ldap:ada'), second!)
    t.is(await epochs.bind('ldap:ada'), second!)
    t.is(await epochs.current('ldap:bob'), '', 'another user’s stays')
    await epochs.renew('ldap:bob')
    t.regex(await epochs.current('ldap:bob'), /^[\w-]{43}$/, 'also where nobody has logged in')
  })

  test(`S4: ${name}: first logins at once are bound to one epoch.`, async t => {
    const { open, now } = await setup(t)
    const [one, other] = [new Epochs(await open(), MONTH, now), new Epochs(await open(), MONTH, now)]
    const bound = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other).bind('ldap:ada')),
    )
    t.deepEqual([...new Set(bound)], [await one.current('ldap:ada')])
    t.not(bound[0], '')
  })

  test(`S4: ${name}: of many renewals at once none fails, and the epoch is another afterwards.`, async t => {
    const { open, now } = await setup(t)
    const [one, other] = [new Epochs(await open(), MONTH, now), new Epochs(await open(), MONTH, now)]
    for (let round = 0; round < 5; round++) {
      const before = await one.current('ldap:ada')
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other).renew('ldap:ada')),
      )
      const current = await other.current('ldap:ada')
      t.not(current, before)
      t.is(made.filter(epoch => epoch === current).length, 1, 'one renewal is answered the epoch that holds')
    }
  })

  test(`S4: ${name}: an epoch lives as long as a login that is bound to it.`, async t => {
    const { open, now, advance } = await setup(t)
    const epochs = new Epochs(await open(), MONTH, now)
    const bound = await epochs.bind('ldap:ada')
    advance!(MONTH - 1000)
    t.is(await epochs.bind('ldap:ada'), bound)
    advance!(MONTH - 1000)
    t.is(await epochs.current('ldap:ada'), bound)
    advance!(1000)
    t.is(await epochs.current('ldap:ada'), '', 'and is forgotten when nobody can be bound to it any more')
  })

  test(`S4: ${name}: where the store loses an epoch, no login that it had ended comes back.`, async t => {
    const { open, now } = await setup(t)
    const store = await open()
    const epochs = new Epochs(store, MONTH, now)
    const bound = [await epochs.bind('ldap:ada')]
    for (let round = 0; round < 3; round++) {
      await epochs.renew('ldap:ada')
      await store.destroy(storeId('epoch:ldap:ada'))
      t.false(bound.includes(await epochs.current('ldap:ada')))
      const next = await epochs.bind('ldap:ada')
      t.false(bound.includes(next))
      bound.push(next)
    }
  })

  test(`S4: ${name}: a login of somebody who has an epoch stores nothing new.`, async t => {
    const { open, now } = await setup(t)
    const store = recorded(await open())
    const epochs = new Epochs(store, MONTH, now)
    await epochs.bind('ldap:ada')
    t.deepEqual(store.calls.splice(0), ['touch', 'create'])
    await epochs.bind('ldap:ada')
    t.deepEqual(store.calls, ['touch', 'read'])
  })
}
