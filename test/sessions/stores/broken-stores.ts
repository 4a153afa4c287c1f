import { setImmediate as soon } from 'node:timers/promises'
import type { SessionRecord, SessionStore } from '../../../lib/sessions/store.ts'
import { memoryStore } from '../../../lib/sessions/stores/memory.ts'

type FullStore = Required<Omit<SessionStore, 'close'>>
type Break = (store: FullStore, now: () => number) => Partial<FullStore>

/** Keeps every record as it was handed in, and hands it out the same. */
function aliasing(store: FullStore, reads: boolean, writes: boolean): Partial<FullStore> {
  const kept = new Map<string, SessionRecord['data']>()
  const keep = (id: string, { data }: SessionRecord) => kept.set(id, writes ? data : structuredClone(data))
  return {
    async create(id, record) {
      const version = await store.create(id, record)
      if (version !== null) keep(id, record)
      return version
    },
    async replace(id, version, record) {
      const answer = await store.replace(id, version, record)
      if (answer !== 'changed' && answer !== 'gone') keep(id, record)
      return answer
    },
    async read(id) {
      const found = await store.read(id)
      const data = kept.get(id)
      return found && data ? { ...found, data: reads ? data : structuredClone(data) } : found
    },
  }
}

/** Changes every record on its way in. */
function storing(store: FullStore, change: (record: SessionRecord) => SessionRecord): Partial<FullStore> {
  return {
    create: (id, record) => store.create(id, change(record)),
    replace: (id, version, record) => store.replace(id, version, change(record)),
  }
}

function listing(store: FullStore, matches: (stored: string, asked: string) => boolean): Partial<FullStore> {
  const users = new Set<string>()
  const all = async (asked: string) =>
    (await Promise.all([...users].filter(one => matches(one, asked)).map(one => store.list(one)))).flat()
  const note = (record: SessionRecord) => {
    if (record.user !== null) users.add(record.user)
    return record
  }
  return {
    ...storing(store, note),
    list: all,
    async destroyAll(asked, exceptId) {
      for (const { id } of await all(asked)) if (id !== exceptId) await store.destroy(id)
    },
  }
}

const json = (change: (text: string) => string) => (record: SessionRecord) => ({
  ...record,
  data: JSON.parse(change(JSON.stringify(record.data))),
})

/** Mistakes that a store can make, each with the title of a check that has to find it. */
export const MISTAKES: Record<string, { found: string; mistake: Break }> = {
  'whose replace ignores the version': {
    found: "Replacing with an outdated version answers 'changed' and stores nothing.",
    mistake: store => ({
      async replace(id, _version, record) {
        const found = await store.read(id)
        return found ? store.replace(id, found.version, record) : 'gone'
      },
    }),
  },
  'whose replace looks first and writes afterwards': {
    found: "Of many who replace one version at once, exactly one wins, and the others hear 'changed'.",
    mistake: store => ({
      async replace(id, version, record) {
        const found = await store.read(id)
        if (!found) return 'gone'
        if (found.version !== version) return 'changed'
        await soon()
        const now = await store.read(id)
        return now ? store.replace(id, now.version, record) : 'gone'
      },
    }),
  },
  'whose replace brings a session back': {
    found: "Replacing a destroyed session answers 'gone' and does not bring it back.",
    mistake: store => ({
      async replace(id, version, record) {
        const answer = await store.replace(id, version, record)
        return answer === 'gone' ? ((await store.create(id, record)) ?? 'changed') : answer
      },
    }),
  },
  "whose replace calls what is changed 'gone'": {
    found: "Of many who replace one version at once, exactly one wins, and the others hear 'changed'.",
    mistake: store => ({
      async replace(id, version, record) {
        const answer = await store.replace(id, version, record)
        return answer === 'changed' ? 'gone' : answer
      },
    }),
  },
  'whose replace merges': {
    found: 'Replacing drops the keys that the new data lacks.',
    mistake: store => ({
      async replace(id, version, record) {
        const found = await store.read(id)
        return store.replace(id, version, { ...record, data: { ...found?.data, ...record.data } })
      },
    }),
  },
  'whose replace keeps the user': {
    found: 'Replacing takes the user away and gives one.',
    mistake: store => ({
      async replace(id, version, record) {
        const found = await store.read(id)
        return store.replace(id, version, { ...record, user: found?.user ?? record.user })
      },
    }),
  },
  'whose create overwrites': {
    found: 'Creating an id that is taken answers null and leaves the stored record alone.',
    mistake: store => ({
      async create(id, record) {
        await store.destroy(id)
        return store.create(id, record)
      },
    }),
  },
  'whose create looks first and writes afterwards': {
    found: 'Of many who create one id at once, exactly one wins, and its record is the one stored.',
    mistake: store => ({
      async create(id, record) {
        if (await store.read(id)) return null
        await soon()
        await store.destroy(id)
        return store.create(id, record)
      },
    }),
  },
  'whose create calls an expired id taken': {
    found: 'An expired id can be created again, and holds the new record alone.',
    mistake: store => {
      const used = new Set<string>()
      return {
        async create(id, record) {
          if (used.has(id)) return null
          used.add(id)
          return store.create(id, record)
        },
        async destroy(id) {
          used.delete(id)
          await store.destroy(id)
        },
      }
    },
  },
  'whose versions count from 1 for each record': {
    found: 'A version from before destroy and create replaces nothing.',
    mistake: store => {
      const counts = new Map<string, { real: string; count: number }>()
      return {
        async create(id, record) {
          const real = await store.create(id, record)
          if (real !== null) counts.set(id, { real, count: 1 })
          return real && '1'
        },
        async read(id) {
          const found = await store.read(id)
          return found && { ...found, version: String(counts.get(id)!.count) }
        },
        async replace(id, version, record) {
          const known = counts.get(id)
          const fits = known && String(known.count) === version
          const real = await store.replace(id, fits ? known.real : '', record)
          if (real === 'changed' || real === 'gone') return real
          counts.set(id, { real, count: known!.count + 1 })
          return String(known!.count + 1)
        },
      }
    },
  },
  'whose versions are of the data': {
    found: 'Replacing with the very same data answers another version.',
    mistake: store => {
      const real = new Map<string, string>()
      const versionOf = (record: SessionRecord, version: string) => {
        const ours = JSON.stringify(record.data)
        real.set(ours, version)
        return ours
      }
      return {
        async create(id, record) {
          const version = await store.create(id, record)
          return version && versionOf(record, version)
        },
        async replace(id, version, record) {
          const answer = await store.replace(id, real.get(version) ?? '', record)
          return answer === 'changed' || answer === 'gone' ? answer : versionOf(record, answer)
        },
        async read(id) {
          const found = await store.read(id)
          return found && { ...found, version: versionOf(found, found.version) }
        },
      }
    },
  },
  'whose touch writes the record anew': {
    found: 'Touching leaves data, user and version.',
    mistake: store => ({
      async touch(id, expiresAt) {
        const found = await store.read(id)
        if (!found) return false
        return (await store.replace(id, found.version, { ...found, expiresAt })) !== 'gone'
      },
    }),
  },
  'whose touch brings a session back': {
    found: 'A session destroyed beside a touch is absent afterwards, whichever came first.',
    mistake: store => ({
      async touch(id, expiresAt) {
        const found = await store.read(id)
        if (!found) return false
        await soon()
        if (!(await store.touch(id, expiresAt))) await store.create(id, { ...found, expiresAt })
        return true
      },
    }),
  },
  'whose touch does nothing': {
    found: 'Touching answers true and moves the expiry on.',
    mistake: store => ({ touch: async id => (await store.read(id)) !== null }),
  },
  'whose touch answers nothing': {
    found: 'Touching with the expiry that is there already answers true.',
    mistake: store => ({
      touch: (id, expiresAt) => store.touch(id, expiresAt).then(() => undefined as unknown as boolean),
    }),
  },
  'whose destroy fails for what is absent': {
    found: 'Destroying what is absent is no error.',
    mistake: store => ({
      async destroy(id) {
        if (!(await store.read(id))) throw new Error('absent')
        await store.destroy(id)
      },
    }),
  },
  'whose destroy does nothing': {
    found: 'A destroyed session is absent for every handle.',
    mistake: () => ({ async destroy() {} }),
  },
  'that forgets to expire': {
    found: 'An expired session is absent.',
    mistake: (store, now) => {
      const forever = (record: SessionRecord) => ({ ...record, expiresAt: Math.max(record.expiresAt, now() + 1e12) })
      return { ...storing(store, forever), touch: (id, at) => store.touch(id, Math.max(at, now() + 1e12)) }
    },
  },
  'that keeps the expiry in seconds': {
    found: 'An expiry is kept to the millisecond.',
    mistake: store => storing(store, record => ({ ...record, expiresAt: Math.floor(record.expiresAt / 1000) * 1000 })),
  },
  'that waits by 32 bits': {
    found: 'A session may last longer than 30 days, and longer than 2 ** 31 milliseconds.',
    mistake: (store, now) =>
      storing(store, record => ({ ...record, expiresAt: now() + ((record.expiresAt - now()) | 0) })),
  },
  'whose sessions outlive their expiry by a moment': {
    found: 'A session lives until the millisecond of its expiry and no longer.',
    mistake: store => storing(store, record => ({ ...record, expiresAt: record.expiresAt + 1 })),
  },
  'that hands out what it keeps': {
    found: 'Changing what was read does not change what is stored.',
    mistake: store => aliasing(store, true, false),
  },
  'that keeps what it is handed': {
    found: 'Changing what was handed to create does not change what is stored.',
    mistake: store => aliasing(store, false, true),
  },
  'that stores Latin-1': {
    found: 'Data with text that is not ASCII, composed and decomposed comes back as it was.',
    mistake: store =>
      storing(
        store,
        json(text => text.replace(/[^\0-\xff]/gu, '?')),
      ),
  },
  'that composes characters': {
    found: 'Data with text that is not ASCII, composed and decomposed comes back as it was.',
    mistake: store =>
      storing(
        store,
        json(text => text.normalize('NFC')),
      ),
  },
  'that mends halves of surrogate pairs': {
    found: 'Data with halves of surrogate pairs comes back as it was.',
    mistake: store =>
      storing(
        store,
        json(text => text.replace(/\\ud[89a-f]../gi, '\ufffd')),
      ),
  },
  'that cuts off at NUL': {
    found: 'Data with NUL and the other control characters comes back as it was.',
    mistake: store =>
      storing(
        store,
        json(text => text.replaceAll('\\u0000', '')),
      ),
  },
  'that assigns keys one by one': {
    found: 'Keys such as __proto__, constructor and toJSON come back as own keys, and no prototype changes.',
    mistake: store => ({
      async read(id) {
        const found = await store.read(id)
        if (!found) return null
        const data: SessionRecord['data'] = {}
        for (const key of Object.keys(found.data)) data[key] = found.data[key]
        return { ...found, data }
      },
    }),
  },
  "that drops keys with '_'": {
    found: "Data with keys that start with '_' comes back as it was.",
    mistake: store =>
      storing(store, record => ({
        ...record,
        data: Object.fromEntries(Object.entries(record.data).filter(([key]) => !key.startsWith('_'))),
      })),
  },
  'that goes by a prefix of the user': {
    found: 'A list goes by the exact key, not by a prefix, case, accent, space or lookalike.',
    mistake: store => listing(store, (stored, asked) => stored.startsWith(asked)),
  },
  'that goes by no case of the user': {
    found: 'destroyAll goes by the exact key, not by a prefix, case, accent, space or lookalike.',
    mistake: store => listing(store, (stored, asked) => stored.toLowerCase() === asked.toLowerCase()),
  },
  'that ignores trailing spaces of the user': {
    found: 'A list goes by the exact key, not by a prefix, case, accent, space or lookalike.',
    mistake: store => listing(store, (stored, asked) => stored.trimEnd() === asked.trimEnd()),
  },
  'that goes by no accents of the user': {
    found: 'destroyAll goes by the exact key, not by a prefix, case, accent, space or lookalike.',
    mistake: store => {
      const { compare } = new Intl.Collator('en', { sensitivity: 'base' })
      return listing(store, (stored, asked) => compare(stored, asked) === 0)
    },
  },
  'that cuts the user off': {
    found: 'Keys that share their first 1,088 bytes are told apart.',
    mistake: store => {
      const cut = (user: string) => Buffer.from(user).subarray(0, 1000).toString('latin1')
      return { ...listing(store, (stored, asked) => cut(stored) === cut(asked)) }
    },
  },
  'whose destroyAll spares nobody': {
    found: 'destroyAll leaves the session it is told to leave, and its version.',
    mistake: store => ({ destroyAll: user => store.destroyAll(user) }),
  },
  'whose destroyAll spares a session that is changed meanwhile': {
    found: 'destroyAll beside saves leaves none of the sessions that were there.',
    mistake: store => ({
      async destroyAll(user, exceptId) {
        const before = await Promise.all(
          (await store.list(user)).map(async ({ id }) => ({ id, at: await store.read(id) })),
        )
        await soon()
        for (const { id, at } of before) {
          if (id !== exceptId && (await store.read(id))?.version === at?.version) await store.destroy(id)
        }
      },
    }),
  },
  'whose list shows what has expired': {
    found: 'A list holds neither expired nor destroyed sessions.',
    mistake: store => {
      const last = new Map<string, SessionRecord & { id: string }>()
      return {
        async touch(id, expiresAt) {
          const found = await store.read(id)
          if (found) last.set(id, { ...found, id })
          return store.touch(id, expiresAt)
        },
        async list(user) {
          const live = await store.list(user)
          return [
            ...live,
            ...[...last.values()].filter(one => one.user === user && !live.some(({ id }) => id === one.id)),
          ]
        },
      }
    },
  },
  'whose list ends at a hundred': {
    found: 'A thousand sessions of one user are all listed.',
    mistake: store => ({ list: async user => (await store.list(user)).slice(0, 100) }),
  },
  'whose sweep has no limit': {
    found: 'A sweep removes no more than its limit, and the next goes on.',
    mistake: store => ({ sweep: () => store.sweep(1e9) }),
  },
  'whose sweep counts what it was told': {
    found: 'A sweep removes what has expired, answers how many, and leaves what lives.',
    mistake: store => ({
      async sweep(limit) {
        await store.sweep(limit)
        return limit
      },
    }),
  },
  'whose sweep looks first and removes afterwards': {
    found: 'A sweep beside writers leaves what they write.',
    mistake: store => {
      const expired = new Set<string>()
      return {
        async touch(id, expiresAt) {
          expired.add(id)
          return store.touch(id, expiresAt)
        },
        async sweep(limit) {
          const ids = [...expired].slice(0, limit)
          await soon()
          await soon()
          for (const id of ids) await store.destroy(id)
          return ids.length
        },
      }
    },
  },
}

/** A store that is right but for one mistake. */
export function brokenStore(mistake: Break, now: () => number): SessionStore {
  const store = memoryStore({ now }) as FullStore
  return { ...store, ...mistake(store, now) }
}
