import type { SessionStore } from '../../lib/sessions/store.ts'

/**
 * What may become of a call that a server takes and whose answer does not come as it should. late: it fails, as by the deadline, and is carried
 * out when `release` is called. lost: it is carried out, and the connection breaks before the answer. twice: it is carried out, and a client that
 * saw no answer sends it once more.
 */
export type Fate = 'late' | 'lost' | 'twice'

/** A store one of whose calls has a fate. */
export interface UnsureStore extends SessionStore {
  /** The next call of this name has this fate. */
  doom(call: 'create' | 'replace' | 'touch', fate: Fate): void
  /** Lets the late call happen, and waits until it has. */
  release(): Promise<void>
}

export function unsure(store: SessionStore): UnsureStore {
  let doomed: { call: string; fate: Fate } | null = null
  let happen: (() => Promise<unknown>) | null = null
  const own = {
    doom: (call: string, fate: Fate) => {
      doomed = { call, fate }
    },
    release: async () => {
      const late = happen
      happen = null
      if (!late) throw new Error('no call is late')
      await late()
    },
  }
  return new Proxy(store, {
    get(target, name) {
      if (name in own) return own[name as keyof typeof own]
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const call = async () => value.apply(target, args)
        if (doomed?.call !== name) return call()
        const { fate } = doomed
        doomed = null
        if (fate === 'late') {
          happen = call
          return Promise.reject(new Error('no answer in time'))
        }
        return call().then(() => {
          if (fate === 'twice') return call()
          throw new Error('read ECONNRESET')
        })
      }
    },
  }) as UnsureStore
}
