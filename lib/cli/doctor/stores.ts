import { descriptionOf } from '../../described.ts'
import { ForeignSessions } from '../../sessions/foreign.ts'
import type { IdForm } from '../../sessions/forms.ts'
import { newSessionId, storeId } from '../../sessions/id.ts'
import type { SessionsDescription } from '../../sessions/layer.ts'
import type { SessionStore } from '../../sessions/store.ts'
import { within } from '../deadline.ts'
import { reasonOf } from '../failure.ts'
import { type Finding, ok, problem, skipped, warning } from './finding.ts'

const CHECK = 'store'
/** What `sessions()` grants a call, in milliseconds, unless told otherwise. */
const DEADLINE = 500
const LASTS = 60_000

/** The store of an application's layer. */
export async function checkOwnStore({ options }: SessionsDescription, isProduction: boolean): Promise<Finding[]> {
  const { store, deadline = DEADLINE } = options
  if (store === undefined || descriptionOf('memoryStore()', store)) {
    const what = 'sessions() keeps sessions in the memory of one process.'
    return isProduction
      ? [problem(CHECK, what, 'Processes share no logins, and a restart ends all: hand it a store.')]
      : [ok(CHECK, `${what} For production hand it a store.`)]
  }
  if (store instanceof ForeignSessions) {
    const { keeping, where } = store.parts
    return keeping.store
      ? checkStore(`The store of ${where}`, keeping.store, deadline, keeping.ids)
      : [skipped(CHECK, `${where} keeps sessions in the cookie: there is no store to reach.`)]
  }
  const kept = 'epochs' in store ? store.epochs : (store as SessionStore)
  if (!kept) return [skipped(CHECK, 'sessions() keeps sessions in the cookie: there is no store to reach.')]
  return checkStore('The store of sessions()', kept, deadline)
}

/** Stores, reads and removes a session that is nobody's. @param label what to call the store @param deadline of a call, in milliseconds */
export async function checkStore(
  label: string,
  store: SessionStore,
  deadline = DEADLINE,
  ids: Pick<IdForm, 'newId' | 'storeId'> = { newId: newSessionId, storeId },
): Promise<Finding[]> {
  const id = ids.storeId(ids.newId())
  const mark = newSessionId()
  const record = { data: { _created: Date.now(), mark }, user: null, expiresAt: Date.now() + LASTS }
  let slowest = 0
  const call = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    const begun = performance.now()
    const found = await within(answer)
    slowest = Math.max(slowest, performance.now() - begun)
    return found
  }
  const begun = performance.now()
  try {
    await call(store.create(id, record))
    const found = await call(store.read(id))
    await call(store.destroy(id))
    const gone = await call(store.read(id))
    const total = `${(performance.now() - begun).toFixed(1)} ms`
    if (found?.data.mark !== mark || gone) {
      const what = gone ? 'still had a session after it was removed' : 'did not have a session that was stored'
      return [
        problem(
          CHECK,
          `${label} ${what}.`,
          'Is it several servers, or a replica that lags? Sessions need one that is sure.',
        ),
      ]
    }
    if (slowest > deadline / 2) {
      return [
        warning(
          CHECK,
          `${label} took ${Math.round(slowest)} ms for a call, and gets ${deadline} ms.`,
          'Logins fail with 503 beyond that: bring it nearer, or set `deadline` of sessions().',
        ),
      ]
    }
    return [ok(CHECK, `${label} took, gave and removed a session in ${total}.`)]
  } catch (error) {
    return [
      problem(
        CHECK,
        `${label} does not answer: ${reasonOf(error)}`,
        'Is it there, and may this machine reach it? A client that the app connects when it starts is named with --store.',
      ),
    ]
  }
}
