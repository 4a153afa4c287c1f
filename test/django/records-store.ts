import { hash, randomUUID } from 'node:crypto'
import type { DjangoRecords } from '../../lib/django/records.ts'
import { asciiJson } from '../../lib/sessions/ascii-json.ts'
import type { SessionRecord, SessionStore } from '../../lib/sessions/store.ts'

/** A session store that is nothing but these records, so that the checks of stores are checks of them. */
export function recordsStore(records: DjangoRecords): SessionStore {
  // As long as Django's keys may be.
  const keyOf = (id: string) => hash('sha1', id)
  const textOf = ({ data, user }: SessionRecord) => asciiJson({ version: randomUUID(), data, user })
  return {
    async read(id) {
      const found = await records.read(keyOf(id))
      if (!found) return null
      const { data, user } = JSON.parse(found.text)
      return { data, user, expiresAt: found.expiresAt, version: found.text }
    },
    async create(id, record) {
      const text = textOf(record)
      return (await records.add(keyOf(id), { text, expiresAt: record.expiresAt })) ? text : null
    },
    async replace(id, version, record) {
      const text = textOf(record)
      const answer = await records.swap(keyOf(id), version, { text, expiresAt: record.expiresAt })
      return answer === 'swapped' ? text : answer
    },
    touch: (id, expiresAt) => records.touch(keyOf(id), expiresAt),
    async destroy(id) {
      await records.remove(keyOf(id))
    },
  }
}
