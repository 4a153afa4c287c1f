import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { newId } from '../../lib/testing/store-under-test.ts'
import type { Errand, Mark } from './file-writer.ts'

const WRITER = fileURLToPath(new URL('file-writer.ts', import.meta.url))
const SESSIONS = 3
/** How many lines a writer may say, at most, and how many milliseconds later it is killed. */
const LAST_LINE = 24
const LAST_MOMENT = 4

/** What sessions hold after their writer was killed. */
export interface Outcome {
  /** How many changes were acknowledged. */
  acknowledged: number
  /** Neither old nor new, but something else, or unreadable. */
  torn: number
  /** Older than what was acknowledged. */
  lost: number
  /** Whether the change that was under way when the writer died was found done (new) or not (old). */
  inFlight: { old: number; new: number }
}

/**
 * Starts writers one after the other on the same sessions and kills each with SIGKILL at a random moment.
 * @param read what a session holds now; rejects, or answers 'torn', where that is nothing that was ever written
 */
export async function killWriters(
  { kind, directory, habit }: Pick<Errand, 'kind' | 'directory' | 'habit'>,
  kills: number,
  read: (id: string) => Promise<Mark | 'torn'>,
): Promise<Outcome> {
  const sessions = Array.from({ length: SESSIONS }, () => ({ id: newId(), mark: null as Mark }))
  const outcome: Outcome = { acknowledged: 0, torn: 0, lost: 0, inFlight: { old: 0, new: 0 } }
  let next = 1
  for (let kill = 0; kill < kills; kill++) {
    const said = await lastWords({ kind, directory, habit, sessions, next })
    const states = sessions.map(({ mark }) => ({ acknowledged: mark, tried: mark }))
    for (const { word, which, mark } of said) {
      states[which]!.tried = mark
      if (word === 'ack') {
        states[which]!.acknowledged = mark
        outcome.acknowledged++
      }
      next = Math.max(next, (mark ?? 0) + 1)
    }
    for (const [which, { acknowledged, tried }] of states.entries()) {
      const found = await read(sessions[which]!.id)
      if (found === 'torn') outcome.torn++
      else if (found !== acknowledged && found !== tried) outcome.lost++
      else if (acknowledged !== tried) outcome.inFlight[found === tried ? 'new' : 'old']++
      sessions[which]!.mark = found === 'torn' ? null : found
    }
  }
  return outcome
}

interface Said {
  word: 'try' | 'ack'
  which: number
  mark: Mark
}

/** Lets a writer write for a moment, kills it, and answers all that it has said. */
async function lastWords(errand: Errand): Promise<Said[]> {
  const child = spawn(process.execPath, ['--conditions=koa-strata:source', WRITER, JSON.stringify(errand)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  let complaint = ''
  child.stderr.on('data', data => {
    complaint += data
  })
  const said: Said[] = []
  const last = Math.ceil(Math.random() * LAST_LINE)
  const lines = createInterface(child.stdout)
  lines.on('line', line => {
    const [word, which, mark] = line.split(' ')
    said.push({ word: word as Said['word'], which: Number(which), mark: mark === '-' ? null : Number(mark) })
    if (said.length === last) setTimeout(() => child.kill('SIGKILL'), Math.random() * LAST_MOMENT)
  })
  const allRead = once(lines, 'close')
  const [, signal] = await closed
  await allRead
  if (signal !== 'SIGKILL') throw new Error(`The writer ended by itself: ${complaint}`)
  return said
}
