import assert from 'node:assert/strict'
import { atOnce, checksOf, newId, newUser, type StoreUnderTest } from './store-under-test.ts'

/** Keys that some comparison or other takes for `sql:admin`. */
const LOOKALIKES = [
  'sql:admi',
  'sql:admin1',
  'sql:ADMIN',
  'Sql:admin',
  'sql:admin ',
  ' sql:admin',
  'sql:ádmin',
  'sql:a\u0301dmin',
  'sql:admın',
  'sql:ａdmin',
  'sql:ad\u200bmin',
  'sql:admin\0',
  'sql:admin\n',
  'sql:%',
  'sql:_dmin',
  'sql:*',
  'sql:[a]dmin',
  'sql',
  'admin',
  'sql:аdmin',
]

const LONGEST = `${'b'.repeat(64)}:${'é'.repeat(512)}`

const USERS: Record<string, string> = {
  'with slashes, dots and spaces': 'ldap:cn=Ada Lovelace, ou=../../etc/passwd',
  'with quotes and wildcards': `ldap:'"\`;%_*?[]{}\\`,
  'in any script': 'oidc:Владимир 山田 محمد 🦊',
  'with control characters': 'x:a\0b\r\nc\td',
  'of 1,089 bytes': LONGEST,
  'named as a property of every object': '__proto__',
}

async function addAdminAndLookalikes(on: StoreUnderTest) {
  const admin = await on.addFor('sql:admin')
  const others = new Map<string, string>()
  for (const user of LOOKALIKES) others.set(user, await on.addFor(user))
  return { admin, others }
}

async function assertThere(on: StoreUnderTest, ids: Iterable<string>) {
  for (const id of ids) assert.ok(await on.store.read(id), 'a session is missing')
}

/** The user of a session. */
export const userChecks = checksOf(
  null,
  Object.fromEntries(
    Object.entries(USERS).map(([what, user]) => [
      `A user's key ${what} comes back as it was.`,
      async (on: StoreUnderTest) => {
        const { id, version } = await on.add(on.record({}, user))
        assert.equal((await on.other.read(id))?.user, user)
        const next = await on.store.replace(id, version, on.record({}, null))
        assert.equal((await on.other.read(id))?.user, null)
        await on.store.replace(id, next, on.record({}, user))
        assert.equal((await on.other.read(id))?.user, user)
      },
    ]),
  ),
)

/** list. */
export const listChecks = checksOf('list', {
  async 'A user without sessions has an empty list.'(on) {
    await on.addFor(newUser())
    assert.deepEqual(await on.store.list!(newUser()), [])
  },

  async "A list holds each of the user's sessions whole."(on) {
    const user = newUser()
    const records = [on.record({ one: 1 }, user), on.record({ two: 2 }, user, on.later(7_200_000))]
    const expected = []
    for (const record of records) expected.push({ ...record, id: (await on.add(record)).id })
    for (const store of [on.store, on.other]) {
      const found = (await store.list!(user)).map(({ id, data, user, expiresAt }) => ({ id, data, user, expiresAt }))
      const byExpiry = found.sort((one, two) => one.expiresAt - two.expiresAt)
      assert.deepEqual(
        byExpiry,
        expected.map(({ id, data, user, expiresAt }) => ({ id, data, user, expiresAt })),
      )
    }
  },

  async 'A list holds neither sessions of others nor sessions without a user.'(on) {
    const user = newUser()
    await on.addFor(newUser())
    await on.addFor(null)
    const id = await on.addFor(user)
    assert.deepEqual(
      (await on.store.list!(user)).map(one => one.id),
      [id],
    )
  },

  async 'A list goes by the exact key, not by a prefix, case, accent, space or lookalike.'(on) {
    const { admin, others } = await addAdminAndLookalikes(on)
    others.set('sql:admin', admin)
    for (const [user, id] of others)
      assert.deepEqual(
        (await on.store.list!(user)).map(one => one.id),
        [id],
        user,
      )
  },

  async 'Keys that share their first 1,088 bytes are told apart.'(on) {
    const twin = `${LONGEST.slice(0, -1)}è`
    const id = await on.addFor(LONGEST)
    await on.addFor(twin)
    assert.deepEqual(
      (await on.store.list!(LONGEST)).map(one => [one.id, one.user]),
      [[id, LONGEST]],
    )
  },

  async 'A list takes keys of every kind.'(on) {
    for (const user of Object.values(USERS)) {
      const id = await on.addFor(user)
      assert.deepEqual(
        (await on.store.list!(user)).map(one => one.id),
        [id],
        user,
      )
    }
  },

  async 'A list holds neither expired nor destroyed sessions.'(on) {
    const user = newUser()
    const [kept, expired, destroyed] = [await on.addFor(user), await on.addFor(user), await on.addFor(user)]
    await on.store.touch(expired, on.past())
    await on.store.destroy(destroyed)
    assert.deepEqual(
      (await on.store.list!(user)).map(one => one.id),
      [kept],
    )
  },

  async 'A list follows a session to another user, and to none.'(on) {
    const [first, second] = [newUser(), newUser()]
    const { id, version } = await on.add(on.record({}, first))
    const next = await on.store.replace(id, version, on.record({}, second))
    assert.deepEqual(await on.store.list!(first), [])
    assert.deepEqual(
      (await on.store.list!(second)).map(one => one.id),
      [id],
    )
    await on.store.replace(id, next, on.record({}, null))
    assert.deepEqual(await on.store.list!(second), [])
  },

  async 'A list shows what replace and touch have stored.'(on) {
    const user = newUser()
    const { id, version } = await on.add(on.record({ mark: 'first' }, user))
    await on.store.replace(id, version, on.record({ mark: 'second' }, user))
    const expiresAt = on.later(7_200_000)
    await on.store.touch(id, expiresAt)
    const [found] = await on.other.list!(user)
    assert.deepEqual([found?.data, found?.expiresAt], [{ mark: 'second' }, expiresAt])
  },

  async 'A list follows an expired id to the user who has it now.'(on) {
    const [first, second] = [newUser(), newUser()]
    const id = await on.addFor(first)
    await on.store.touch(id, on.past())
    await on.store.create(id, on.record({}, second))
    assert.deepEqual(await on.store.list!(first), [])
    assert.deepEqual(
      (await on.store.list!(second)).map(one => one.id),
      [id],
    )
  },

  async 'Changing what was listed does not change what is stored.'(on) {
    const user = newUser()
    const { id } = await on.add(on.record({ inner: { key: 'old' } }, user))
    const [found] = await on.store.list!(user)
    found!.data.inner.key = 'new'
    assert.deepEqual((await on.store.read(id))?.data, { inner: { key: 'old' } })
  },

  async 'A thousand sessions of one user are all listed.'(on) {
    const user = newUser()
    const ids = await atOnce(1000, () => on.addFor(user))
    assert.deepEqual((await on.store.list!(user)).map(one => one.id).sort(), ids.sort())
  },
})

/** destroyAll. */
export const destroyAllChecks = checksOf('destroyAll', {
  async "destroyAll removes all sessions of the user and nobody else's."(on) {
    const user = newUser()
    const mine = await atOnce(20, () => on.addFor(user))
    const others = [await on.addFor(newUser()), await on.addFor(null)]
    await on.store.destroyAll!(user)
    for (const id of mine) await on.assertAbsent(id)
    await assertThere(on, others)
  },

  async 'destroyAll leaves the session it is told to leave, and its version.'(on) {
    const record = on.record({ mark: 'kept' }, newUser())
    const kept = await on.add(record)
    const ended = await on.add(record)
    await on.store.destroyAll!(record.user!, kept.id)
    await on.assertAbsent(ended.id)
    await on.assertStored(kept.id, { ...record, version: kept.version })
  },

  async 'destroyAll told to leave an unknown session, or one of another user, removes all of the user.'(on) {
    const user = newUser()
    const another = await on.addFor(newUser())
    for (const except of [newId(), another]) {
      const id = await on.addFor(user)
      await on.store.destroyAll!(user, except)
      await on.assertAbsent(id)
    }
    await assertThere(on, [another])
  },

  async 'destroyAll goes by the exact key, not by a prefix, case, accent, space or lookalike.'(on) {
    const { admin, others } = await addAdminAndLookalikes(on)
    await on.store.destroyAll!('sql:admin')
    await on.assertAbsent(admin)
    await assertThere(on, others.values())
    for (const [user, id] of others) {
      await on.store.destroyAll!(user)
      await on.assertAbsent(id)
      others.delete(user)
      await assertThere(on, others.values())
    }
  },

  async 'destroyAll takes keys of every kind.'(on) {
    for (const user of Object.values(USERS)) {
      const id = await on.addFor(user)
      await on.store.destroyAll!(user)
      await on.assertAbsent(id)
    }
  },

  async 'destroyAll for a user without sessions is no error.'(on) {
    await on.store.destroyAll!(newUser())
    await on.store.destroyAll!(newUser(), newId())
  },

  async 'destroyAll follows a session to another user.'(on) {
    const [first, second] = [newUser(), newUser()]
    const { id, version } = await on.add(on.record({}, first))
    await on.store.replace(id, version, on.record({}, second))
    await on.store.destroyAll!(first)
    await assertThere(on, [id])
    await on.store.destroyAll!(second)
    await on.assertAbsent(id)
  },

  async "What destroyAll has removed is 'gone' for replace, and not there for touch."(on) {
    const user = newUser()
    const { id, version } = await on.add(on.record({}, user))
    await on.other.destroyAll!(user)
    assert.equal(await on.store.replace(id, version, on.record({}, user)), 'gone')
    assert.equal(await on.store.touch(id, on.later()), false)
    await on.assertAbsent(id)
  },

  async 'An id that destroyAll has removed can be created again, under another version.'(on) {
    const user = newUser()
    const { id, version } = await on.add(on.record({}, user))
    await on.store.destroyAll!(user)
    const next = await on.store.create(id, on.record({}, user))
    assert.ok(next)
    assert.notEqual(next, version)
  },

  async 'destroyAll beside saves leaves none of the sessions that were there.'(on) {
    for (let round = 0; round < 10; round++) {
      const user = newUser()
      const added = await atOnce(10, () => on.add(on.record({}, user)))
      const saves = atOnce(10, async index => {
        const { id, version } = added[index]!
        let current = version
        for (let save = 0; save < 50 && current !== 'gone'; save++) {
          current = await on.each(index).replace(id, current, on.record({ save }, user))
        }
      })
      await Promise.all([saves, on.store.destroyAll!(user)])
      for (const { id } of added) await on.assertAbsent(id)
    }
  },
})
