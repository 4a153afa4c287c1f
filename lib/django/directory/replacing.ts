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
 * between the last look and the rename would be back. The witness tells, and then it is removed again. What Django has begun to save is waited for,
 * since it has not looked whether somebody else came first.
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
  const witness = new Witness(folder.path)
  let claim: Claim | undefined
  try {
    claim = await Claim.take(folder, key, text, modified)
    if (!(await placed(claim, found, path, witness))) return undefined
    const removals = await witness.removals(basename(path), claim.entry)
    const isBack = removals > 0 && claim.file.isAt(path) && unlinkThere(path)
    await folder.sync()
    return isBack ? 'gone' : 'replaced'
  } finally {
    witness.close()
    await claim?.file.close()
  }
}

/** Puts a claim's text in the place of what was found, and gives the claim up; false where others came in between. */
async function placed(claim: Claim, found: SessionFile, path: string, witness: Witness): Promise<boolean> {
  try {
    await witness.saved(basename(path), claim.entry)
    return found.isAt(path) && claim.commit(path)
  } finally {
    await claim.release()
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

function unlinkThere(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
