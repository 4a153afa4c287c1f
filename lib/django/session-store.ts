import { DjangoSettingUnsupported } from '../errors.ts'
import { Recent } from '../recent.ts'
import { parseContent, userOf } from '../sessions/content.ts'
import type { SessionData, SessionRecord, SessionStore } from '../sessions/store.ts'
import type { DjangoRecords } from './records.ts'
import type { DjangoSessionForm } from './session-form.ts'

/** How many sessions that ended in this process are remembered until their markers run out. */
const MOST_ENDED = 10_000

/**
 * Django's sessions as the session layer has them. The version of one is its text, which is the same for the same data in the same second: nothing
 * is lost where one stands for the other. What has ended is removed, as Django does; that it has is
 * remembered for as long as a marker would stand there, in this process alone. Expired ones are left to Django's `clearsessions`.
 */
export function djangoStore(
  records: DjangoRecords,
  form: DjangoSessionForm,
  now: () => number,
): SessionStore & Required<Pick<SessionStore, 'destroyAll'>> {
  const ended = new Recent<SessionRecord>(MOST_ENDED)

  return {
    async read(key) {
      const marker = ended.get(key)
      if (marker && marker.expiresAt > now()) return { ...marker, version: 'ended' }
      const found = await records.read(key)
      if (!found) return null
      // What is no data of a session the layer knows to be corrupt.
      const data = form.read(found.text)?.data ?? ('' as unknown as SessionData)
      return { data, user: userOf(data), expiresAt: found.expiresAt, version: found.text }
    },
    async create(key, { data, expiresAt }) {
      const text = form.write(data, now())
      return (await records.add(key, { text, expiresAt })) ? text : null
    },
    async replace(key, version, record) {
      if (parseContent(record.data) === 'ended') {
        const answer = await records.remove(key, version)
        if (answer !== 'removed') return answer
        ended.set(key, record)
        return 'ended'
      }
      const text = form.write(record.data, now())
      const answer = await records.swap(key, version, { text, expiresAt: record.expiresAt })
      return answer === 'swapped' ? text : answer
    },
    touch: (key, expiresAt) => records.touch(key, expiresAt),
    async destroy(key) {
      await records.remove(key)
    },
    async destroyAll(userKey, exceptKey) {
      for await (const { key, text } of records.all()) {
        if (key !== exceptKey && userIn(text) === userKey) await records.remove(key)
      }
    },
  }

  function userIn(text: string): string | null {
    try {
      const data = form.read(text)?.data
      return data ? userOf(data) : null
    } catch (error) {
      // Whose session a pickle is nobody here can tell.
      if (error instanceof DjangoSettingUnsupported) return null
      throw error
    }
  }
}
