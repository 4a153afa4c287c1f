import { once } from 'node:events'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SessionRecord, SessionStore } from '../../../../lib/sessions/store.ts'
import { fileStore } from '../../../../lib/sessions/stores/file.ts'

/** What a process is told to do, and with which sessions. */
export interface Work {
  task: 'count' | 'create' | 'replace' | 'destroy' | 'save'
  sessions: { id: string; version: string }[]
  /** Which of the processes this is. */
  index: number
  times: number
}

const [kind, directory] = process.argv.slice(2) as ['store' | 'without CAS', string]
const store: Pick<SessionStore, 'read' | 'create' | 'replace' | 'destroy'> =
  kind === 'store' ? fileStore(directory) : withoutCas()

/** A file store as they are often written: it reads, compares, writes a temporary file and renames it. */
function withoutCas(): typeof store {
  const path = (id: string) => join(directory, id)
  const read = async (id: string) => JSON.parse(readFileSync(path(id), 'utf8'))
  let writes = 0
  const write = async (id: string, record: SessionRecord) => {
    const version = `${process.pid}-${writes++}`
    await new Promise(setImmediate)
    writeFileSync(`${path(id)}.${version}`, JSON.stringify({ ...record, version }))
    renameSync(`${path(id)}.${version}`, path(id))
    return version
  }
  return {
    read,
    create: write,
    replace: async (id, version, record) =>
      (await read(id)).version === version ? write(id, record) : ('changed' as const),
    destroy: async () => {},
  }
}

const record = (data: object): SessionRecord => ({ data, user: 'sql:1', expiresAt: Date.now() + 3_600_000 })

const TASKS: Record<Work['task'], (work: Work) => Promise<unknown>> = {
  async count({ sessions, times }) {
    const { id } = sessions[0]!
    for (let done = 0; done < times; ) {
      const found = (await store.read(id))!
      const count = found.data.count + 1
      const answer = await store.replace(id, found.version, record({ count }))
      if (answer !== 'changed') done++
    }
  },
  create: ({ sessions, index }) => Promise.all(sessions.map(({ id }) => store.create(id, record({ index })))),
  replace: ({ sessions, index }) =>
    Promise.all(sessions.map(({ id, version }) => store.replace(id, version, record({ index })))),
  async destroy({ sessions }) {
    for (const { id } of sessions) await store.destroy(id)
  },
  save: ({ sessions, index, times }) =>
    Promise.all(
      sessions.map(async ({ id, version }) => {
        let current = version
        for (let save = 0; save < times && current !== 'gone'; save++) {
          const answer = await store.replace(id, current, record({ index, save }))
          current = answer === 'changed' ? ((await store.read(id))?.version ?? 'gone') : answer
        }
        return current
      }),
    ),
}

process.send!('ready')
const [work] = (await once(process, 'message')) as [Work]
process.send!({ answer: await TASKS[work.task](work) })
process.disconnect()
