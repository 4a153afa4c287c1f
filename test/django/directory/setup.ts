import { mkdir, writeFile } from 'node:fs/promises'
import { sessionKeys } from '../../../lib/django/session-key.ts'
import type { Owner } from '../../servers/owner.ts'
import { newDirectory } from '../../sessions/stores/file/setup.ts'
import { pathOf } from './records.ts'

export const { newId: newKey } = sessionKeys

/** A folder for the sessions of one test. */
export async function newSessionsFolder(owner: Owner): Promise<string> {
  const directory = await newDirectory(owner)
  await mkdir(directory)
  return directory
}

/** Stores sessions as Django does, and resolves to their keys. */
export function storeSessions(directory: string, count: number, text: string): Promise<string[]> {
  const keys = Array.from({ length: count }, newKey)
  return Promise.all(
    keys.map(async key => {
      await writeFile(pathOf(directory, key), text, { mode: 0o600 })
      return key
    }),
  )
}
