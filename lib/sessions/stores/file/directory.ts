import { accessSync, constants, mkdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { OptionInvalid } from '../../../errors.ts'

const WHERE = 'fileStore()'
/** Where what is being written stands until it is complete. */
export const UNFINISHED = 'new'

/** A directory that is ours alone. */
export interface OpenedDirectory {
  /** Its absolute path, without symbolic links: one that is turned elsewhere later changes nothing. */
  readonly root: string
  /** The file system that it is on. */
  readonly device: number
}

/**
 * Makes the directory where there is none, and looks whether it can keep secrets.
 * @throws OptionInvalid where it cannot be used, with what to do about it
 */
export function openDirectory(directory: unknown): OpenedDirectory {
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0'))
    throw new OptionInvalid(WHERE, 'directory', 'must be the path of a directory.')
  if (process.platform === 'win32')
    throw new OptionInvalid(WHERE, 'directory', 'needs a POSIX file system, which this system does not have.')
  try {
    mkdirSync(resolve(directory), { recursive: true, mode: 0o700 })
    const root = realpathSync(directory)
    const found = statSync(root)
    refuseShared(root, found)
    accessSync(root, constants.R_OK | constants.W_OK | constants.X_OK)
    refuseWrongModes(join(root, UNFINISHED))
    return { root, device: found.dev }
  } catch (error) {
    if (error instanceof OptionInvalid) throw error
    throw new OptionInvalid(WHERE, 'directory', `cannot be used: ${(error as Error).message}.`)
  }
}

function refuseShared(path: string, { mode, uid }: Stats): void {
  const us = process.geteuid?.() ?? uid
  if (uid !== us)
    throw new OptionInvalid(WHERE, 'directory', `belongs to another user (${uid}). Hand it over: chown ${us} '${path}'`)
  if ((mode & 0o077) !== 0) {
    const is = (mode & 0o777).toString(8)
    throw new OptionInvalid(WHERE, 'directory', `is open to others (mode ${is}). Close it: chmod 700 '${path}'`)
  }
}

/** A umask that takes from the owner, or a file system without modes, is told at once and not by the first session. */
function refuseWrongModes(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const mode = statSync(path).mode & 0o777
  if (mode !== 0o700)
    throw new OptionInvalid(WHERE, 'directory', `must take the mode 700, and '${path}' got ${mode.toString(8)}.`)
}
