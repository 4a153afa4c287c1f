import { Deadline } from '../deadline.ts'
import { DjangoSettingUnsupported, SessionDataInvalid, SessionStoreUnavailable } from '../errors.ts'
import { publish } from '../events.ts'
import { traced } from '../traces.ts'
import type { SessionStore } from './store.ts'

/**
 * A store whose every call but `sweep` answers within `milliseconds`, with the store's answer, with the store's own error where a
 * session is too large for it or can be read by nobody here, or with SessionStoreUnavailable.
 */
export function withDeadline(store: SessionStore, milliseconds: number): SessionStore {
  const deadline = new Deadline(milliseconds)

  const bounded = <Answer>(operation: string, call: () => Promise<Answer>) =>
    traced('koa-strata:store', { operation }, async () => {
      try {
        return await deadline.run(operation, call)
      } catch (error) {
        // The store is well, and what it was handed will not become less by trying again.
        if (error instanceof SessionDataInvalid || error instanceof DjangoSettingUnsupported) throw error
        publish('koa-strata:store-error', { operation, error })
        throw new SessionStoreUnavailable(error)
      }
    })

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
