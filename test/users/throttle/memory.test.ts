import test from 'ava'
import { MemoryCounters } from '../../../lib/users/throttle/memory.ts'
import { handedClock } from '../../sessions/stores/setups.ts'
import { limitOf } from './counters.ts'

test('L4: However many names an attacker brings, no more are kept than there may be, and the one that is attacked meanwhile is among them.', async t => {
  const counters = new MemoryCounters(handedClock().now, 1000)
  const limit = limitOf(2, 3_600_000)
  await counters.add('attacked', limit)
  await counters.add('attacked', limit)
  for (let name = 0; name < 5000; name++) {
    await counters.add(`name ${name}`, limit)
    if (name % 500 === 0) t.true((await counters.add('attacked', limit)) > 0, String(name))
  }
  t.true((await counters.add('attacked', limit)) > 0)
})

test('L4: Failures push out no mark, and marks no failure.', async t => {
  const counters = new MemoryCounters(handedClock().now, 10)
  const limit = limitOf(1, 3_600_000)
  await counters.mark('familiar', 1000)
  for (let name = 0; name < 100; name++) await counters.add(`name ${name}`, limit)
  t.is(await counters.marked('familiar'), 1000)
  for (let name = 0; name < 100; name++) await counters.mark(`network ${name}`, 1000)
  t.true((await counters.add('name 99', limit)) > 0)
  t.is(await counters.marked('familiar'), 0)
})
