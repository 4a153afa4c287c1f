import { fileURLToPath } from 'node:url'

/** A check of the project that stands in a folder: what is wrong with it, one line each. */
export type Check = (root: string) => Promise<string[]>

/** The folder of this project. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url))

/** Runs a check on this project, prints what is wrong, and makes the process fail if anything is. */
export async function report(name: string, check: Check): Promise<void> {
  const problems = await check(projectRoot)
  for (const problem of problems) console.error(`${name}: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
  else console.log(`${name}: in order`)
}
