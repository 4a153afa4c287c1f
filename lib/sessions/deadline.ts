import { SessionDataInvalid, SessionStoreUnavailable } from '../errors.ts'
import { publish } from '../events.ts'
import { traced } from '../traces.ts'
import type { SessionStore } from './store.ts'

/** How many calls may hang behind a store that does not answer before further ones fail at once. */
const MOST_LATE = 64

/**
 * A store whose every call but `sweep` answers within `deadline` milliseconds, with the store's answer, with the store's SessionDataInvalid
 * where a session is too large for it, or with SessionStoreUnavailable. Behind a frozen store no queue grows: once 64 calls hang, only one
 * call each deadline is let through, to see whether the store is back.
 */
export function withDeadline(store: SessionStore, deadline: number): SessionStore {
  let late = 0
  let lastProbe = 0
  // Calls that a store lost when it froze never settle: those of an earlier era do not count any more.
  let era = 0

  const bounded = <Answer>(operation: string, call: () => Promise<Answer>) =>
    traced('koa-strata:store', { operation }, () => inTime(operation, call))

  async function inTime<Answer>(operation: string, call: () => Promise<Answer>): Promise<Answer> {
    const probing = late >= MOST_LATE
    if (probing) {
      const now = performance.now()
      if (now - lastProbe < deadline)
        throw new SessionStoreUnavailable(new Error(`the store hangs; ${operation} was not tried`))
      lastProbe = now
    }
    let timer: NodeJS.Timeout | undefined
    const begun = era
    let missed = false
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        missed = true
        if (begun === era) late++
        reject(new Error(`no answer to ${operation} within ${deadline} ms`))
      }, deadline)
    })
    const answer = Promise.resolve().then(call)
    const settled = () => {
      if (missed && begun === era) late--
    }
    answer.then(() => {
      settled()
      // An error in time does not tell that it is back: a pool says at once that the server it has no connection to is frozen.
      if (!missed && probing && begun === era) {
        era++
        late = 0
      }
    }, settled)
    try {
      return await Promise.race([answer, timeout])
    } catch (error) {
      // The store is well, and what it was handed will not become less by trying again.
      if (error instanceof SessionDataInvalid) throw error
      publish('koa-strata:store-error', { operation, error })
      throw new SessionStoreUnavailable(error)
    } finally {
      clearTimeout(timer)
    }
  }

  const { list, destroyAll, sweep } = store
  return {
    read: id => bounded('read', () => store.read(id)),
    create: (id, record) => bounded('create', () => store.create(id, record)),
    replace: (id, version, record) => bounded('replace', () => store.replace(id, version, record)),
    touch: (id, expiresAt) => bounded('touch', () => store.touch(id, expiresAt)),
    destroy: id => bounded('destroy', () => store.destroy(id)),
    ...(list && { list: (user: string) => bounded('list', () => list.call(store, user)) }),
    ...(destroyAll && {
      destroyAll: (user: string, except?: string) => bounded('destroyAll', () => destroyAll.call(store, user, except)),
    }),
    // Nobody waits for a sweep, which may take as long as the disk does.
    ...(sweep && {
      async sweep(limit: number) {
        try {
          return await sweep.call(store, limit)
        } catch (error) {
          publish('koa-strata:store-error', { operation: 'sweep', error })
          throw error
        }
      },
    }),
  }
}
