import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { ExecutionContext } from 'ava'
import { fileStore } from '../../../../lib/sessions/stores/file.ts'
import type { SessionStoreSetup } from '../../../../lib/testing/index.ts'
import type { Owner } from '../../../servers/owner.ts'
import { handedClock } from '../setups.ts'

/** A directory of the test's own, which is not there yet. What is in it goes with its owner. */
export async function newDirectory(owner: Owner): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'strata-'))
  owner.teardown(() => rm(parent, { recursive: true, force: true }))
  return join(parent, 'sessions')
}

/** The paths of all files in a directory, however deep. */
export async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => !entry.isDirectory())
  return files.map(({ parentPath, name }) => relative(directory, join(parentPath, name))).sort()
}

/** Sessions in a directory, with two stores on it as two processes have them. */
export async function fileSetup(t: ExecutionContext): Promise<SessionStoreSetup> {
  const clock = handedClock()
  const directory = await newDirectory(t)
  return { ...clock, open: async () => fileStore(directory, { now: clock.now }) }
}
