import { createRequire } from 'node:module'

const argon2 = createRequire(import.meta.url)('@node-rs/argon2')

/** How often argon2 ran. */
export interface Argon2Calls {
  hash: number
  verify: number
}

/**
 * Counts the calls of the argon2 package, and tells `ran` each hash that is verified. Modules take hold of its functions when they are first
 * imported, so the file that counts imports the library after this.
 */
export function countArgon2(ran: (hash: string) => void = () => {}): Argon2Calls {
  const calls = { hash: 0, verify: 0 }
  const { hash, verify } = argon2
  argon2.hash = (...args: unknown[]) => {
    calls.hash++
    return hash(...args)
  }
  argon2.verify = (...args: unknown[]) => {
    calls.verify++
    ran(String(args[0]))
    return verify(...args)
  }
  return calls
}
