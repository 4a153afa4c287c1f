import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What a program answered. */
export interface Ran {
  /** null: a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Where a program is looked for. */
export interface ProgramPlace {
  /** What to install where it is missing. @default its name */
  debianPackage?: string
  /** A path to take in place of one on the PATH, as from the environment. */
  path?: string | undefined
}

/**
 * The path of a program that a test drives.
 * @throws Error with the line that installs it, where it is missing
 */
export function requireProgram(name: string, { debianPackage = name, path }: ProgramPlace = {}): string {
  const places = path ? [path] : (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, name))
  const found = places.find(isExecutable)
  if (found) return found
  throw new Error(
    `This test drives ${path ?? name}, which is missing. On Debian, as root: apt-get install --yes ${debianPackage}`,
  )
}

/** Runs a program to its end, without a shell. */
export function runProgram(program: string, options: readonly string[], env = process.env): Promise<Ran> {
  return new Promise(resolve => {
    const child = execFile(program, options, { env, timeout: 60_000 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
