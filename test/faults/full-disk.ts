/**
 * Runs an app on a small disk that is full for a while, and prints what clients saw, as JSON: `full-disk.ts <directory> <bytes or inodes>`. The disk
 * is a tmpfs that this mounts, in a namespace that it must have been given: nobody else sees it, and it goes with this process.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { fileStore } from '../../lib/sessions/stores/file.ts'
import type { Answer } from '../sessions/app.ts'
import { filesIn } from '../sessions/stores/file/setup.ts'
import { type Testimony, Witness } from './witness.ts'

export type Scarce = 'bytes' | 'inodes'

/** What was seen of a full disk. */
export interface FullDiskReport {
  testimony: Testimony
  /** The codes of what the store rejected with. */
  causes: string[]
  /** What somebody got from a session that was there before: reading it, changing it, logging out, reading it again. */
  meanwhile: { status: number; retryAfter?: string; text: string }[]
  /** How long after there was room again everybody was served, in milliseconds. */
  back: number
  /** What that session was afterwards, with one change more. */
  afterwards: string
  /** Unfinished files, at the end. */
  leftBehind: string[]
}

const ROOM: Record<Scarce, string> = { bytes: 'size=4m', inodes: 'nr_inodes=800' }
/** How often the disk is filled up: what somebody replaces makes a little room at first. */
const FILLS = 3

async function run(directory: string, scarce: Scarce): Promise<FullDiskReport> {
  mkdirSync(directory, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', ROOM[scarce], 'tmpfs', directory])
  const ends: (() => unknown)[] = []
  const t = { teardown: (end: () => unknown) => ends.unshift(end) } as unknown as ExecutionContext

  const sessions = join(directory, 'sessions')
  const witness = await Witness.start(t, { store: fileStore(sessions), deadline: 5000 })
  const somebody = witness.app.browser()
  await somebody.get('/login?user=somebody')
  await somebody.get('/count')
  await witness.untilChanges(100)

  const ballast = join(directory, 'ballast')
  for (let fills = 0; fills < FILLS; fills++) {
    fill(ballast, scarce)
    await witness.untilStatus(503)
  }
  rmSync(ballast, { recursive: true })
  const back = Math.round(await witness.untilServed(performance.now()))
  await witness.untilChanges(100)
  const testimony = await witness.testify()

  // Now that nobody else makes room by what they replace.
  fill(ballast, scarce)
  const meanwhile = []
  for (const path of ['/me', '/count', '/logout', '/me']) meanwhile.push(shortOf(await somebody.get(path)))
  rmSync(ballast, { recursive: true })
  await somebody.get('/count')
  const afterwards = (await somebody.get('/me')).text
  const causes = witness.app.errors.map(({ cause }) => (cause as NodeJS.ErrnoException | undefined)?.code ?? 'none')
  const leftBehind = (await filesIn(sessions)).filter(file => file.startsWith('new/'))
  for (const end of ends) await end()
  return { testimony, causes: [...new Set(causes)], meanwhile, back, afterwards, leftBehind }
}

function fill(ballast: string, scarce: Scarce): void {
  mkdirSync(ballast, { recursive: true })
  const block = scarce === 'bytes' ? Buffer.alloc(4096) : ''
  try {
    for (let files = 0; ; files++) writeFileSync(join(ballast, `${performance.now()} ${files}`), block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

function shortOf({ status, headers, text }: Answer) {
  const retryAfter = headers['retry-after']
  return { status, text, ...(retryAfter !== undefined && { retryAfter }) }
}

if (import.meta.main) {
  const [directory, scarce] = process.argv.slice(2) as [string, Scarce]
  console.log(JSON.stringify(await run(directory, scarce)))
}
