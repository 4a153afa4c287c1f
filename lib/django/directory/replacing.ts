import { unlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { codeOf } from '../../sessions/stores/file/home.ts'
import { Claim } from './claim.ts'
import type { SessionFile } from './session-file.ts'
import type { SessionFolder } from './session-folder.ts'
import { Witness } from './witness.ts'

/**
 * Puts a text in the place of what was found. 'gone': that was removed meanwhile. undefined: others came in between, and nothing was done.
 *
 * Of our processes one has the claim. Django has none, and a rename says not whether it has replaced a file or made one; so what was removed
 * between the last look and the rename would be back. The witness tells, and then it is removed again.
 */
export async function replace(
  folder: SessionFolder,
  key: string,
  found: SessionFile,
  text: string,
  modified: number,
): Promise<'replaced' | 'gone' | undefined> {
  folder.assertOurs(found)
  const path = folder.pathOf(key)
  const claim = await Claim.take(folder, key, text, modified)
  const witness = new Witness(folder.path)
  try {
    const isDone = found.isAt(path) && claim.commit(path)
    await claim.release()
    if (!isDone) return undefined
    const isBack = removals(await witness.before(claim.name), basename(path)) > 0 && claim.file.isAt(path)
    if (isBack) unlinkThere(path)
    await folder.sync()
    return isBack ? 'gone' : 'replaced'
  } finally {
    witness.close()
    await claim.file.close()
  }
}

/** Removes what was found; undefined: others came in between, and nothing was done. */
export async function removeFound(
  folder: SessionFolder,
  key: string,
  found: SessionFile,
): Promise<'removed' | undefined> {
  const path = folder.pathOf(key)
  const claim = await Claim.take(folder, key, '', 0)
  try {
    if (!found.isAt(path) || !unlinkThere(path)) return undefined
  } finally {
    await claim.release()
    await claim.file.close()
  }
  await folder.sync()
  return 'removed'
}

/** How often a file was removed, of what has come and gone while another was put in its place once. */
function removals(seen: readonly string[], name: string): number {
  // Django writes beside it, and puts it in its place by a rename: one name goes, and the next one comes.
  const isSaved = (index: number) => seen[index - 1]?.startsWith(`${name}_out_`)
  return seen.filter((one, index) => one === name && !isSaved(index)).length - 1
}

function unlinkThere(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
