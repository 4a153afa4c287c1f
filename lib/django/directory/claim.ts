import { randomUUID } from 'node:crypto'
import { renameSync } from 'node:fs'
import { mkdir, readdir, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf, removed, removeEmpty } from '../../sessions/stores/file/home.ts'
import type { SessionFile } from './session-file.ts'
import type { SessionFolder } from './session-folder.ts'
import type { Rename } from './witness.ts'

/** Whoever has had a claim for so many milliseconds is taken for dead. Should they wake up, they find it gone. */
const ABANDONED = 300
/** For how long a claim is waited for, in milliseconds. */
const PATIENCE = 10_000

/**
 * The right of one of our processes to change a session. It is a directory whose name is the session's, with one file in it: the text to be stored,
 * under a name that never comes twice. No directory can be renamed to one that is not empty, so one process has it at a time; and the rename of the
 * file to the session's place stores the text and gives up the claim, in one step. Who removes the file has broken the claim: that step fails then,
 * however late it comes from a process that was frozen.
 */
export class Claim {
  /** How its directory came to its place: when that goes, or is another's, the claim is over. */
  readonly entry: Rename
  /** The file with the text, wherever it stands. */
  readonly file: SessionFile
  readonly #path: string
  readonly #own: string

  private constructor(stage: string, path: string, own: string, file: SessionFile) {
    this.#path = path
    this.#own = join(path, own)
    this.entry = { from: basename(stage), to: basename(path) }
    this.file = file
  }

  /** Waits for the claim to a session and takes it, with the text to be stored and when it says that was. */
  static async take(folder: SessionFolder, key: string, text: string, modified: number): Promise<Claim> {
    const [path, own, stage] = [folder.claimOf(key), randomUUID(), folder.newPath()]
    await mkdir(stage, 0o700)
    let file: SessionFile | undefined
    try {
      file = await folder.make(join(stage, own), text, modified)
      await enter(stage, path)
      return new Claim(stage, path, own, file)
    } catch (error) {
      await file?.close()
      await removed(join(stage, own)).catch(() => {})
      await removeEmpty(stage)
      throw error
    }
  }

  /** Puts the text in its place; false where the claim was broken. Done without a wait. */
  commit(to: string): boolean {
    try {
      renameSync(this.#own, to)
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    }
  }

  /** Gives the claim up, unless that is done, and clears its directory away, where no other has come in. */
  async release(): Promise<void> {
    await removed(this.#own).catch(() => {})
    await removeEmpty(this.#path)
  }
}

/** Breaks the claim that somebody may have to a session. */
export async function breakClaim(folder: SessionFolder, key: string): Promise<void> {
  const path = folder.claimOf(key)
  for (const own of await holders(path)) await removed(join(path, own))
  await removeEmpty(path)
}

async function enter(stage: string, path: string): Promise<void> {
  const begun = performance.now()
  let seen = { holder: '', since: begun }
  while (performance.now() - begun < PATIENCE) {
    if (await movedIn(stage, path)) return
    const [holder] = await holders(path)
    if (holder === undefined) continue
    if (holder !== seen.holder) seen = { holder, since: performance.now() }
    // By what was seen of one holder, and by no clock of others.
    if (performance.now() - seen.since > ABANDONED) await removed(join(path, holder))
    else await wait(1 + Math.random() * 4)
  }
  throw new Error(`A session could not be changed within ${PATIENCE} ms: others came in between all the time.`)
}

async function movedIn(stage: string, path: string): Promise<boolean> {
  try {
    await rename(stage, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function holders(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
