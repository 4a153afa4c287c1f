import { isVerifiable } from '../../users/passwords.ts'
import type { DjangoTable } from './table.ts'

/** Hashes as Django writes them. Django knows no others, whatever we do. */
const DJANGO = /^(?:argon2|bcrypt|bcrypt_sha256|pbkdf2_sha1|pbkdf2_sha256|scrypt)\$/
/** How many of the newest users are looked at: of some the hash may be of a kind that is not known here. */
const LOOKED_AT = 20
/** In milliseconds. */
const KEPT = 5 * 60 * 1000

/** A hash of Django's that some password can belong to, else null. */
export function djangoHash(stored: string): string | null {
  return DJANGO.test(stored) && isVerifiable(stored) ? stored : null
}

/**
 * A hash as this site makes them, whosever it is: to verify what is wrong anyway takes as long as to verify what may be right. Asked for by who is
 * there and who is not, and kept for five minutes.
 */
export class UsualHash {
  readonly #table: DjangoTable
  readonly #now: () => number
  #kept: { readonly hash: Promise<string | null>; readonly until: number } | null = null

  constructor(table: DjangoTable, now: () => number) {
    this.#table = table
    this.#now = now
  }

  /** Null where no user has one. */
  async get(): Promise<string | null> {
    const now = this.#now()
    if (!this.#kept || this.#kept.until <= now) this.#kept = { hash: this.#newest(), until: now + KEPT }
    const asked = this.#kept
    try {
      const hash = await asked.hash
      if (hash === null) this.#forget(asked)
      return hash
    } catch (error) {
      this.#forget(asked)
      throw error
    }
  }

  async #newest(): Promise<string | null> {
    return (await this.#table.newestPasswords(LOOKED_AT)).find(password => djangoHash(password) !== null) ?? null
  }

  #forget(asked: object): void {
    if (this.#kept === asked) this.#kept = null
  }
}
