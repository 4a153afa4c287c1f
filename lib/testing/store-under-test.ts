import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { SessionData, SessionRecord, SessionStore } from '../sessions/store.ts'

/** What a check is handed: sessions of its own, empty at first, which nobody else changes. */
export interface SessionStoreSetup {
  /**
   * Opens a store on these sessions. Called again, it opens a further one on the same, as another process would; a store that lives in one
   * process answers the same one.
   */
  open(): Promise<SessionStore>
  /** The store's clock, in epoch milliseconds: the one it was handed, or the real one. */
  now(): number
  /** Moves that clock on. Absent where the store goes by the real one. */
  advance?(milliseconds: number): void
}

/** What a store may lack: one of the optional calls, or a clock that can be handed in. */
export type SessionStoreNeed = 'list' | 'destroyAll' | 'sweep' | 'close' | 'clock'

/** One check of the contract of `SessionStore`: it resolves, or rejects with an AssertionError that says what was wrong, or the store's own error. */
export interface SessionStoreCheck {
  (setup: SessionStoreSetup): Promise<void>
  /** What the check is about, where a store may lack it. null: every store has to pass. */
  readonly needs: SessionStoreNeed | null
}

const HOUR = 3_600_000

/** The store that a check tries, a second one on the same sessions, and what to fill them with. */
export class StoreUnderTest {
  readonly store: SessionStore
  readonly other: SessionStore
  readonly setup: SessionStoreSetup

  private constructor(setup: SessionStoreSetup, store: SessionStore, other: SessionStore) {
    this.setup = setup
    this.store = store
    this.other = other
  }

  static async open(setup: SessionStoreSetup): Promise<StoreUnderTest> {
    return new StoreUnderTest(setup, await setup.open(), await setup.open())
  }

  /** One of the two stores in turn, for calls that come from two processes. */
  each(index: number): SessionStore {
    return index % 2 === 0 ? this.store : this.other
  }

  /** The moment in `milliseconds`, an hour by default. */
  later(milliseconds = HOUR): number {
    return this.setup.now() + milliseconds
  }

  /** A moment that has passed. */
  past(): number {
    return this.setup.now() - HOUR
  }

  record(data: SessionData = {}, user: string | null = null, expiresAt = this.later()): SessionRecord {
    return { data, user, expiresAt }
  }

  /** Creates a session. */
  async add(record: SessionRecord = this.record({ mark: 'first' })): Promise<{ id: string; version: string }> {
    const id = newId()
    const version = await this.store.create(id, record)
    assert.ok(version !== null, 'create called a random id taken')
    return { id, version }
  }

  /** Creates a session of the user, and answers its id. */
  async addFor(user: string | null): Promise<string> {
    return (await this.add(this.record({ of: user }, user))).id
  }

  /** Creates a session that has expired. */
  async addExpired(data: SessionData = { mark: 'expired' }): Promise<{ id: string; version: string }> {
    const added = await this.add(this.record(data))
    assert.equal(await this.store.touch(added.id, this.past()), true, 'touch did not find the session')
    return added
  }

  async assertStored(id: string, expected: SessionRecord & { version: string }): Promise<void> {
    for (const store of [this.store, this.other]) assert.deepEqual(await store.read(id), expected)
  }

  async assertAbsent(id: string): Promise<void> {
    for (const store of [this.store, this.other]) assert.equal(await store.read(id), null)
  }
}

/** An id as the session layer hands them to a store. */
export function newId(): string {
  return randomBytes(32).toString('hex')
}

/** A user's key that no other check uses. */
export function newUser(): string {
  return `sql:${randomBytes(8).toString('hex')}`
}

/** Calls `task` with 0 to `count` - 1, all at once. */
export function atOnce<Answer>(count: number, task: (index: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => task(index)))
}

/** Makes checks of functions that try a store. */
export function checksOf(
  needs: SessionStoreNeed | null,
  tries: Record<string, (on: StoreUnderTest) => Promise<void>>,
): Record<string, SessionStoreCheck> {
  return Object.fromEntries(
    Object.entries(tries).map(([title, run]) => {
      const check = async (setup: SessionStoreSetup) => {
        const on = await StoreUnderTest.open(setup)
        assert.ok(has(on, needs), `this check is for stores with ${needs}`)
        await run(on)
      }
      return [title, Object.assign(check, { needs })]
    }),
  )
}

function has({ store, setup }: StoreUnderTest, need: SessionStoreNeed | null): boolean {
  if (need === null) return true
  return typeof (need === 'clock' ? setup.advance : store[need]) === 'function'
}
