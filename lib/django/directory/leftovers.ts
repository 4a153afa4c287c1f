import { opendir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { OWN, type SessionFolder } from './session-folder.ts'

/** How old something unfinished has to be before whoever wrote it is taken for dead, in milliseconds, and how often it is looked for. */
const ABANDONED = 300_000

const looked = new WeakMap<SessionFolder, number>()

/** Removes what killed processes have left behind, where that was not looked for lately. */
export async function clearLeftovers(folder: SessionFolder): Promise<void> {
  const now = performance.now()
  if (now - (looked.get(folder) ?? -ABANDONED) < ABANDONED) return
  looked.set(folder, now)
  for await (const { name } of await opendir(folder.path, { bufferSize: 128 })) {
    if (!name.startsWith(OWN)) continue
    const path = join(folder.path, name)
    const found = await stat(path).catch(() => null)
    if (found && Date.now() - found.ctimeMs > ABANDONED) await rm(path, { recursive: true, force: true })
  }
}
