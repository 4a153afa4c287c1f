import test from 'ava'
import type { Owner } from './owner.ts'

const ends: (() => unknown)[] = []

/** What all tests of a file share belongs to the file, and goes after the last of them. */
export const file: Owner = { teardown: end => ends.unshift(end) }

test.after.always('What the tests of this file shared goes.', async () => {
  for (const end of ends) await end()
})
