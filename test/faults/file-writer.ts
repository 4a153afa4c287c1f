/**
 * Changes sessions again and again until it is killed, and says on its standard output what it is about to do and what was acknowledged:
 * a line `try <which> <mark>` before and `ack <which> <mark>` after, where the mark `-` is a session that is not there.
 */
import { writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SessionRecord, SessionStore } from '../../lib/sessions/store.ts'
import { fileStore } from '../../lib/sessions/stores/file.ts'

/** What a writer does most of. */
export type Habit = 'replace' | 'create and destroy' | 'touch' | 'change users' | 'expire and sweep'
/** What a session holds: a number, all over a text that takes several writes of the file system; null: nothing. */
export type Mark = number | null
export interface Errand {
  kind: 'store' | 'in place'
  directory: string
  habit: Habit
  sessions: { id: string; mark: Mark }[]
  /** The first number that was not used yet. */
  next: number
}

/** What a session with this mark is. */
export function recordWith(mark: number, user: string): SessionRecord {
  const text = `${mark} `.repeat(8000)
  return { data: { _created: 1, mark, text, end: mark }, user, expiresAt: Date.now() + 3_600_000 }
}

const HOUR = 3_600_000

async function write({ kind, directory, habit, sessions, next }: Errand): Promise<void> {
  const store: SessionStore = kind === 'store' ? fileStore(directory) : inPlace(directory)
  const versions = await Promise.all(sessions.map(async ({ id }) => (await store.read(id))?.version ?? null))
  const user = () => (habit === 'change users' ? `sql:${next % 2}` : 'sql:0')
  const told = (which: number, mark: Mark, word: 'try' | 'ack') => writeSync(1, `${word} ${which} ${mark ?? '-'}\n`)
  let turn = 0

  const save = async (which: number) => {
    const [id, version, mark] = [sessions[which]!.id, versions[which]!, next++]
    told(which, mark, 'try')
    const answer =
      version === null
        ? await store.create(id, recordWith(mark, user()))
        : await store.replace(id, version, recordWith(mark, user()))
    if (answer === null || answer === 'changed' || answer === 'gone') throw new Error(`answered ${answer}`)
    versions[which] = answer
    sessions[which]!.mark = mark
    told(which, mark, 'ack')
  }
  const leave = async (which: number, leaving: (id: string) => Promise<unknown>) => {
    told(which, null, 'try')
    await leaving(sessions[which]!.id)
    versions[which] = null
    told(which, null, 'ack')
  }
  const habits: Record<Habit, (which: number) => Promise<unknown>> = {
    replace: save,
    'change users': save,
    'create and destroy': which => (versions[which] === null ? save(which) : leave(which, id => store.destroy(id))),
    touch: async which => {
      if (turn % 4 === 0 || versions[which] === null) return save(which)
      told(which, sessions[which]!.mark, 'try')
      if (!(await store.touch(sessions[which]!.id, Date.now() + HOUR))) throw new Error('touch did not find it')
      told(which, sessions[which]!.mark, 'ack')
    },
    'expire and sweep': which =>
      versions[which] === null
        ? save(which)
        : leave(which, async id => {
            await store.touch(id, Date.now() - HOUR)
            await store.sweep!(10)
          }),
  }
  for (; ; turn++) {
    // Two at once, of different sessions.
    const [one, other] = [turn % sessions.length, (turn + 1) % sessions.length]
    await Promise.all([habits[habit](one), habits[habit](other)])
  }
}

/** The control: what stores do that write a file where it is. */
function inPlace(directory: string): SessionStore {
  const replace = async (id: string, _version: string, record: SessionRecord) => {
    await writeFile(join(directory, id), JSON.stringify(record.data))
    return 'written'
  }
  return {
    read: async () => null,
    create: (id, record) => replace(id, '', record),
    replace,
    touch: async () => true,
    destroy: async () => {},
  }
}

if (import.meta.main) await write(JSON.parse(process.argv[2]!))
