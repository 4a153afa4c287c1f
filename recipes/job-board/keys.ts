import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

/**
 * The keys that sign session cookies: those given, separated by commas, or else those in the file, which is made where there is none, for its
 * owner alone. Kept keys keep logins over a restart.
 */
export function sessionKeys(given: string | undefined, file: string): string[] {
  const text = given ?? readOrMake(file)
  return text
    .split(',')
    .map(key => key.trim())
    .filter(key => key !== '')
}

function readOrMake(file: string): string {
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8')
}
