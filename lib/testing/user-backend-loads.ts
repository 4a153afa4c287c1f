import assert from 'node:assert/strict'
import { type BackendUnderTest, checksOf, type KnownPerson, ODD_TEXTS } from './user-backend-under-test.ts'

function addSome(on: BackendUnderTest, count: number): Promise<KnownPerson[]> {
  return Promise.all(Array.from({ length: count }, () => on.add()))
}

/** Ids that some comparison or other takes for this one. */
function near(id: string): string[] {
  const written = [
    `${id} `,
    ` ${id}`,
    `0${id}`,
    `+${id}`,
    `${id}.0`,
    `${id}e0`,
    `${id}x`,
    `${id}\0`,
    `${id}%`,
    `${id}\u0301`,
  ]
  const cased = [id.toUpperCase(), id.toLowerCase()].filter(other => other !== id)
  return [...written, ...cased]
}

/** load. */
export const loadChecks = checksOf(['load'], {
  async 'load answers somebody by their id.'(on) {
    const { id } = await on.add()
    on.assertUser(await on.backend.load(id), id)
  },

  async 'load answers null for ids that nobody has, whatever is in them.'(on) {
    await on.add()
    for (const id of ODD_TEXTS) assert.equal(await on.backend.load(id), null, id)
  },

  async 'load goes by the exact id, and by nothing that only looks like it.'(on) {
    const { id } = await on.add()
    for (const other of near(id)) assert.equal(await on.backend.load(other), null, other)
    on.assertUser(await on.backend.load(id), id)
  },

  async 'Loads at once answer each their own.'(on) {
    const people = await addSome(on, 5)
    const ids = Array.from({ length: 60 }, (_, index) => people[index % 6]?.id ?? `nobody ${index}`)
    const found = await Promise.all(ids.map(id => on.backend.load(id)))
    assert.deepEqual(
      found.map(user => user?.id ?? null),
      ids.map(id => (id.startsWith('nobody') ? null : id)),
    )
  },
})

/** Somebody who has gone. */
export const removedChecks = checksOf(['load', 'remove'], {
  async 'Somebody who was taken away is nobody at the next load, and others stay.'(on) {
    const [one, other] = [await on.add(), await on.add()]
    await on.setup.remove!(one.id)
    assert.equal(await on.backend.load(one.id), null)
    on.assertUser(await on.backend.load(other.id), other.id)
  },
})

/** Somebody who was locked out, as load answers them. */
export const deactivatedChecks = checksOf(['load', 'deactivate'], {
  async 'Somebody who was locked out is loaded as inactive, or not at all.'(on) {
    const { id } = await on.add()
    await on.setup.deactivate!(id)
    const user = await on.backend.load(id)
    assert.notEqual(user?.isActive, true)
  },

  async 'Somebody who was locked out may do nothing.'(on) {
    const { id } = await on.add()
    await on.setup.deactivate!(id)
    const user = await on.backend.load(id)
    for (const permission of ['', 'read', '__proto__']) assert.notEqual(user?.hasPermission(permission), true)
  },
})

/** loadMany. */
export const loadManyChecks = checksOf(['loadMany'], {
  async 'loadMany answers in the order of the ids.'(on) {
    const ids = (await addSome(on, 4)).map(({ id }) => id)
    for (const order of [ids, ids.toReversed(), [ids[2]!, ids[0]!, ids[3]!, ids[1]!]])
      assert.deepEqual(await idsOf(on, order), order)
  },

  async 'loadMany answers an id that comes twice twice.'(on) {
    const [one, two] = (await addSome(on, 2)).map(({ id }) => id) as [string, string]
    const ids = [one, two, one, one, two]
    assert.deepEqual(await idsOf(on, ids), ids)
  },

  async 'loadMany answers null in the place of each id that nobody has.'(on) {
    const { id } = await on.add()
    const ids = ODD_TEXTS.flatMap(odd => [odd, id])
    assert.deepEqual(
      await idsOf(on, ids),
      ids.map(one => (one === id ? id : null)),
    )
  },

  async 'loadMany answers an empty list for no ids, and nulls where nobody has any of them.'(on) {
    assert.deepEqual(await on.backend.loadMany!([]), [])
    assert.deepEqual(await on.backend.loadMany!(['nobody', '', 'nobody']), [null, null, null])
  },

  async 'loadMany takes 500 ids at once.'(on) {
    const { id } = await on.add()
    const ids = Array.from({ length: 500 }, (_, index) => (index === 321 ? id : `${9e15 + index}`))
    const found = await idsOf(on, ids)
    assert.deepEqual([found.length, found.filter(Boolean), found[321]], [500, [id], id])
  },

  async 'loadMany leaves the list of ids as it was handed in.'(on) {
    const { id } = await on.add()
    const ids = Object.freeze([id, 'nobody', id]) as string[]
    assert.deepEqual(await idsOf(on, ids), [id, null, id])
  },

  async 'loadMany answers who load answers.'(on) {
    const { id } = await on.add()
    const [many] = await on.backend.loadMany!([id])
    const one = on.assertUser(await on.backend.load(id), id)
    on.assertUser(many!, id)
    for (const field of ['username', 'email', 'isActive', 'isStaff', 'isSuperuser', 'stamp'] as const)
      assert.equal(many![field], one[field], field)
  },
})

async function idsOf({ backend }: BackendUnderTest, ids: string[]): Promise<(string | null)[]> {
  return (await backend.loadMany!(ids)).map(user => (user === null ? null : user.id))
}
