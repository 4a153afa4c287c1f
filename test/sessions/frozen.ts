import type { SessionStore } from '../../lib/sessions/store.ts'

/** A store that can be frozen: its calls then never answer, not even when it is thawed, as those of a connection that was lost. */
export interface FreezableStore extends SessionStore {
  /** How many calls hang by now. */
  readonly hanging: number
  /** How many calls came through while it was well. */
  readonly answered: number
  freeze(): void
  thaw(): void
}

/** Makes a store freezable. */
export function freezable(store: SessionStore): FreezableStore {
  let frozen = false
  let hanging = 0
  let answered = 0
  const own = {
    freeze: () => {
      frozen = true
    },
    thaw: () => {
      frozen = false
    },
  }
  return new Proxy(store, {
    get(target, name) {
      if (name === 'hanging') return hanging
      if (name === 'answered') return answered
      if (name in own) return own[name as keyof typeof own]
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (!frozen) {
          answered++
          return value.apply(target, args)
        }
        hanging++
        return new Promise(() => {})
      }
    },
  }) as FreezableStore
}
