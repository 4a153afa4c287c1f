import test from 'ava'
import {
  type UserBackendCheck,
  type UserBackendNeed,
  type UserBackendSetup,
  userBackendChecks,
} from '../../lib/testing/index.ts'
import { brokenSetup, brokenSnapshotSetup, MISTAKES, SNAPSHOT_MISTAKES } from './broken-user-backends.ts'
import { BACKENDS, type BackendCase, NEEDS } from './user-backends.ts'

const CHECKS = Object.entries(userBackendChecks)

const OF_THE_SETUP: readonly UserBackendNeed[] = ['setPassword', 'deactivate', 'remove']

function has({ backend, ...setup }: UserBackendSetup, need: UserBackendNeed): boolean {
  if (need === 'load') return backend.fromSession === undefined
  return Reflect.get(OF_THE_SETUP.includes(need) ? setup : backend, need) !== undefined
}

const ends: (() => unknown)[] = []
test.after.always(async () => {
  for (const end of ends.reverse()) await end()
})

/** All checks of a backend share its setup and take turns: hashing many passwords at once is what a backend may refuse. */
class Shown {
  readonly #case: BackendCase
  #last: Promise<unknown> = Promise.resolve()
  #setup: Promise<UserBackendSetup> | undefined

  constructor(one: BackendCase) {
    this.#case = one
  }

  run(check: (setup: UserBackendSetup) => Promise<void>): Promise<void> {
    const turn = this.#last.then(async () => {
      this.#setup ??= this.#case.setup({ teardown: end => ends.push(end) })
      await check(await this.#setup)
    })
    this.#last = turn.catch(() => {})
    return turn
  }
}

const conforms = test.macro({
  title: (title, name: string) => `${name}: ${title}`,
  exec: async (t, _name: string, shown: Shown, check: UserBackendCheck) => {
    await t.notThrowsAsync(shown.run(check))
  },
})

for (const [name, one] of Object.entries(BACKENDS)) {
  const shown = new Shown(one)
  const isFor = ({ needs }: UserBackendCheck) => needs.every(need => one.can.includes(need))
  for (const [title, check] of CHECKS) if (isFor(check)) test(title, conforms, name, shown, check)

  const lacking = NEEDS.filter(need => !one.can.includes(need))
  test(`${name}: of what a backend may lack it lacks ${lacking.join(', ')}, and no other check was left out.`, t =>
    shown.run(async setup => {
      t.deepEqual(
        NEEDS.filter(need => !has(setup, need)),
        lacking,
      )
      for (const [title, check] of CHECKS)
        if (!isFor(check)) await t.throwsAsync(check(setup), { message: /^this check is for backends with / }, title)
    }))
}

test('There are more than forty checks, each titled by a sentence, for all that a backend may have.', t => {
  t.true(CHECKS.length > 40, `${CHECKS.length} checks`)
  for (const [title] of CHECKS) t.regex(title, /^[A-Za-z].{15,}\.$/u)
  const sorted = (needs: readonly UserBackendNeed[]) => [...new Set(needs)].sort()
  t.deepEqual(sorted(CHECKS.flatMap(([, check]) => check.needs)), sorted(NEEDS))
  t.deepEqual(sorted(Object.values(BACKENDS).flatMap(({ can }) => can)), sorted(NEEDS))
})

const BROKEN: [which: string, found: string, setup: () => UserBackendSetup, right: () => UserBackendSetup][] = [
  ...Object.entries(MISTAKES).map(
    ([which, { found, mistake }]) =>
      [which, found, () => brokenSetup(mistake), () => brokenSetup(() => ({}))] as (typeof BROKEN)[0],
  ),
  ...Object.entries(SNAPSHOT_MISTAKES).map(
    ([which, { found, mistake }]) =>
      [which, found, () => brokenSnapshotSetup(mistake), () => brokenSnapshotSetup(() => ({}))] as (typeof BROKEN)[0],
  ),
]

for (const [which, found, setup, right] of BROKEN) {
  test(`The checks find a backend ${which}, and nothing in the one that it was made from.`, async t => {
    const check = userBackendChecks[found]
    t.truthy(check, `there is no check '${found}'`)
    await t.throwsAsync(check!(setup()))
    await t.notThrowsAsync(check!(right()))
  })
}

test('Every check is failed by a backend that is broken for it.', t => {
  const found = new Set(BROKEN.map(([, title]) => title))
  t.deepEqual(
    CHECKS.map(([title]) => title).filter(title => !found.has(title)),
    [],
  )
})
