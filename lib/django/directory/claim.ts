import { randomUUID } from 'node:crypto'
import { renameSync } from 'node:fs'
import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf, removed, removeEmpty } from '../../sessions/stores/file/home.ts'
import type { SessionFolder } from './session-folder.ts'

/** Whoever has not come to its end for so many milliseconds is taken for dead. Should they wake up, they find their claim gone. */
const ABANDONED = 1000
/** For how long a claim is waited for, in milliseconds. */
const PATIENCE = 10_000

/**
 * The right of one of our processes to change a session: a directory of one name for all who want it, in which there is one file, which has the
 * text to be stored and a name that comes only once. A full directory can't be renamed to, so one has it at a time. The rename of that file to
 * the session's place stores the text and gives the claim up, in one step. To break the claim of somebody killed or frozen is to remove their
 * file: then that step fails, should they wake up.
 */
export class Claim {
  readonly #folder: SessionFolder
  readonly #place: string
  readonly #stage: string
  readonly #name = randomUUID()

  constructor(folder: SessionFolder, key: string) {
    this.#folder = folder
    this.#place = folder.claimOf(key)
    this.#stage = folder.newPath()
  }

  /** Takes the claim, and brings the text along. */
  async take(text: string, modified: number): Promise<void> {
    await mkdir(this.#stage, 0o700)
    try {
      await this.#folder.write(join(this.#stage, this.#name), text, modified)
      await this.#enter()
    } catch (error) {
      await removed(join(this.#stage, this.#name)).catch(() => {})
      await removeEmpty(this.#stage)
      throw error
    }
  }

  /** Puts the text in its place; false where the claim was broken. Without a wait, for what was looked at right before. */
  commit(to: string): boolean {
    try {
      renameSync(join(this.#place, this.#name), to)
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    }
  }

  /** Gives the claim up, where that is not done. What cannot be removed is taken for abandoned later. */
  async release(): Promise<void> {
    await removed(join(this.#place, this.#name)).catch(() => {})
    await removeEmpty(this.#place)
  }

  async #enter(): Promise<void> {
    const begun = performance.now()
    let seen = { holder: '', since: begun }
    while (performance.now() - begun < PATIENCE) {
      if (await this.#moveIn()) return
      const [holder] = await holders(this.#place)
      if (holder === undefined) continue
      if (holder !== seen.holder) seen = { holder, since: performance.now() }
      else if (performance.now() - seen.since > ABANDONED) await removed(join(this.#place, holder))
      else await wait(1 + Math.random() * 4)
    }
    throw new Error(`A session could not be changed within ${PATIENCE} ms: others came in between.`)
  }

  async #moveIn(): Promise<boolean> {
    try {
      await rename(this.#stage, this.#place)
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false
      throw error
    }
  }
}

/** Breaks all claims that there are on a session. */
export async function breakClaims(folder: SessionFolder, key: string): Promise<void> {
  const place = folder.claimOf(key)
  for (const holder of await holders(place)) await removed(join(place, holder))
  await removeEmpty(place)
}

async function holders(place: string): Promise<string[]> {
  try {
    return await readdir(place)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
