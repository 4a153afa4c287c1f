import { createHash, timingSafeEqual } from 'node:crypto'
import { detachedUsers, type UserBackend } from 'koa-strata'

/** Somebody in the partner's directory. */
export interface PartnerPerson {
  /** Any text: this one looks like a path. */
  readonly id: string
  readonly username: string
  readonly email: string
  readonly password: string
  /** When the password was set: the person's sessions end when this changes. */
  readonly passwordSet: string
}

/**
 * The directory of a partner, in memory, where a real one would be LDAP, OIDC or the partner's API. The board asks it who somebody is and keeps
 * no record of them.
 */
export class PartnerDirectory {
  readonly #people = new Map<string, PartnerPerson>()

  constructor(people: readonly PartnerPerson[]) {
    for (const person of people) this.#people.set(person.id, person)
  }

  /** Whoever has this name or e-mail address, and password. */
  check(username: string, password: string): PartnerPerson | null {
    const name = username.toLowerCase()
    for (const person of this.#people.values()) {
      if (name !== person.username && name !== person.email) continue
      return timingSafeEqual(digest(password), digest(person.password)) ? person : null
    }
    return null
  }

  find(id: string): PartnerPerson | null {
    return this.#people.get(id) ?? null
  }

  /** Takes somebody out: their sessions end at their next request. */
  remove(id: string): void {
    this.#people.delete(id)
  }
}

/** The backend for a partner's people. With `load` the directory is asked at every request, so whoever leaves it is logged out. */
export function partnerUsers(directory: PartnerDirectory): UserBackend {
  const identityOf = (person: PartnerPerson | null) =>
    person && { id: person.id, username: person.username, email: person.email, stamp: person.passwordSet }
  return detachedUsers({
    name: 'partner',
    authenticate: async ({ username = '', password = '' }) => identityOf(directory.check(username, password)),
    load: async id => identityOf(directory.find(id)),
  })
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text.normalize('NFC')).digest()
}
