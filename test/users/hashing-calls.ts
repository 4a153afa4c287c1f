import crypto from 'node:crypto'
import { createRequire, syncBuiltinESMExports } from 'node:module'

type Hashing = (...args: unknown[]) => unknown

/** What was hashed, by whichever algorithm, and how much of it at once. */
export interface HashingCalls {
  inFlight: number
  most: number
  readonly started: string[]
}

/**
 * Watches every function that hashes passwords. Modules take hold of them when they are first imported, so the file that watches imports the
 * library after this.
 */
export function watchHashing(): HashingCalls {
  const calls: HashingCalls = { inFlight: 0, most: 0, started: [] }
  const begin = (name: string) => {
    calls.started.push(name)
    calls.most = Math.max(calls.most, ++calls.inFlight)
  }
  const require = createRequire(import.meta.url)
  for (const [name, functions] of [
    ['@node-rs/argon2', ['hash', 'verify']],
    ['@node-rs/bcrypt', ['verify']],
  ] as const) {
    const native = require(name) as Record<string, (...args: unknown[]) => Promise<unknown>>
    for (const fn of functions) {
      const hashing = native[fn]!
      native[fn] = (...args) => {
        begin(`${name.slice('@node-rs/'.length)} ${fn}`)
        return hashing(...args).finally(() => calls.inFlight--)
      }
    }
  }
  const builtin = crypto as unknown as Record<string, Hashing>
  for (const name of ['scrypt', 'pbkdf2']) {
    const hashing = builtin[name]!
    builtin[name] = (...args: unknown[]) => {
      begin(name)
      const done = args.pop() as Hashing
      return hashing(...args, (...answer: unknown[]) => {
        calls.inFlight--
        done(...answer)
      })
    }
  }
  syncBuiltinESMExports()
  return calls
}
