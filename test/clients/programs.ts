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

/**
 * The path of a program that a test drives.
 * @param name also the name of its Debian package @param given a path to take in its place, as from the environment
 * @throws Error with the line that installs it, where it is missing
 */
export function requireProgram(name: string, given?: string): string {
  const places = given ? [given] : (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, name))
  const found = places.find(isExecutable)
  if (found) return found
  throw new Error(
    `This test drives ${given ?? name}, which is missing. On Debian, as root: apt-get install --yes ${name}`,
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
