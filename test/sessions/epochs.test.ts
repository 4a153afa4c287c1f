import test from 'ava'
import { Epochs } from '../../lib/sessions/epochs.ts'
import { recorded } from './app.ts'
import { STORES } from './stores.ts'

const MONTH = 30 * 86_400_000

for (const [name, setup] of Object.entries(STORES)) {
  test(`S4: ${name}: nobody has an epoch until it is renewed, and renewing gives another each time.`, async t => {
    const { open, now } = await setup(t)
    const epochs = new Epochs(await open(), MONTH, now)
    t.is(await epochs.current('ldap:ada'), '')
    t.is(await epochs.bind('ldap:ada'), '')
    await epochs.renew('ldap:ada')
    const first = await epochs.current('ldap:ada')
    t.regex(first, /^[\w-]{43}$/)
    t.is(await epochs.bind('ldap:ada'), first)
    await epochs.renew('ldap:ada')
    t.not(await epochs.current('ldap:ada'), first)
    t.is(await epochs.current('ldap:bob'), '', 'another user’s stays')
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
    await epochs.renew('ldap:ada')
    advance!(MONTH - 1000)
    const bound = await epochs.bind('ldap:ada')
    t.not(bound, '')
    advance!(MONTH - 1000)
    t.is(await epochs.current('ldap:ada'), bound)
    advance!(1000)
    t.is(await epochs.current('ldap:ada'), '', 'and is forgotten when nobody can be bound to it any more')
  })

  test(`S4: ${name}: a binding for somebody without an epoch stores nothing.`, async t => {
    const { open, now } = await setup(t)
    const store = recorded(await open())
    await new Epochs(store, MONTH, now).bind('ldap:ada')
    t.deepEqual(store.calls, ['touch', 'read'])
  })
}
