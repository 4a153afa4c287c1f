import { DjangoSettingUnsupported } from '../errors.ts'
import { isPlainObject } from '../options.ts'
import { asciiJson } from '../sessions/ascii-json.ts'
import type { SessionLogin } from '../sessions/content.ts'
import { isStorable } from '../sessions/data.ts'
import type { SessionData } from '../sessions/store.ts'
import { type Member, membersOf } from './members.ts'
import type { DjangoSigning } from './signing.ts'

/** How logins are told apart. */
export interface DjangoLogins {
  /** The backend of `users()` whose users they are. */
  readonly backend: string
  /** Django's backends whose logins count here; those of ours are written as the first one's. */
  readonly authenticationBackends: readonly [string, ...string[]]
}

/** Where Django has who is logged in. */
const USER_ID = '_auth_user_id'
const USER_BACKEND = '_auth_user_backend'
const USER_HASH = '_auth_user_hash'
/** Where a session has what is ours alone: Django keeps it, and does not look at it. */
const OWN_LOGIN = '_strata_login'
const OWN_VIA = '_strata_via'
const OWN_GUEST = '_strata_guest'
const TRANSLATED: ReadonlySet<string> = new Set([USER_ID, USER_BACKEND, USER_HASH, OWN_LOGIN, OWN_VIA, OWN_GUEST])
/** What the session layer calls things of its own. */
const INTERNAL: ReadonlySet<string> = new Set(['_created', '_login', '_guest', '_ended', '_successor', '_epoch'])

/** Where data has what it was made from: not under a name, so that nothing but this file finds it, and copies take it along. */
const SOURCE = Symbol('Django session')
type Source = ReadonlyMap<string, Member>

/** What a pickle of any protocol in use begins with. */
const PICKLE = 0x80

/**
 * Sessions as Django writes them: a signed JSON object. Who is logged in is translated; every other value of the object is data. Values that are
 * not changed are written back as the very text they came as, and what `ctx.session` cannot hold stays, unseen.
 */
export class DjangoSessionForm {
  readonly #signing: DjangoSigning
  readonly #logins: DjangoLogins

  constructor(signing: DjangoSigning, logins: DjangoLogins) {
    this.#signing = signing
    this.#logins = logins
  }

  /** The text for data that is stored now, in epoch milliseconds. */
  write(data: SessionData, now: number): string {
    const members = this.#membersOf(data)
    const json = [...members].map(([name, text]) => `${asciiJson(name)}:${text}`).join(',')
    return this.#signing.dumps(Buffer.from(`{${json}}`, 'latin1'), now)
  }

  /**
   * The data of a session, and when it was written, in epoch milliseconds; null where it is none that was signed by these keys.
   * @throws DjangoSettingUnsupported where it is pickled
   */
  read(text: string): { data: SessionData; at: number } | null {
    const signed = this.#signing.loads(text)
    if (!signed) return null
    if (signed.payload[0] === PICKLE)
      throw new DjangoSettingUnsupported(
        'SESSION_SERIALIZER',
        'this session is pickled, which only Python can read. Set SESSION_SERIALIZER to ' +
          "'django.contrib.sessions.serializers.JSONSerializer' in Django's settings, and remove the sessions that there are: they begin anew.",
      )
    const source = membersOf(signed.payload.toString('latin1'))
    return source && { data: this.#dataOf(source), at: signed.at }
  }

  #dataOf(source: Source): SessionData {
    const data: SessionData = { _created: 0 }
    for (const [name, { value }] of source) {
      if (isShown(name, value)) data[name] = value
    }
    const login = this.#loginOf(source)
    if (login) data._login = login
    const guest = source.get(OWN_GUEST)?.value
    if (isPlainObject(guest)) data._guest = guest
    return Object.assign(data, { [SOURCE]: source })
  }

  #loginOf(source: Source): SessionLogin | null {
    const [id, backend, hash, via] = [USER_ID, USER_BACKEND, USER_HASH, OWN_VIA].map(name => source.get(name)?.value)
    if (id === undefined) return (source.get(OWN_LOGIN)?.value as SessionLogin | undefined) ?? null
    return {
      // The path of one that does not count is no backend's name here.
      backend: this.#counts(backend) ? this.#logins.backend : String(backend),
      id: String(id),
      stamp: `${hash}.`,
      ...(typeof via === 'string' && { via }),
    }
  }

  #counts(backend: unknown): boolean {
    return this.#logins.authenticationBackends.includes(backend as string)
  }

  /** The text of each member, in the order that they came in. */
  #membersOf(data: SessionData): Map<string, string> {
    const source: Source = (data as { [SOURCE]?: Source })[SOURCE] ?? new Map()
    const members = new Map<string, string>()
    for (const [name, { text, value }] of source) {
      if (TRANSLATED.has(name)) continue
      if (Object.hasOwn(data, name) && !INTERNAL.has(name))
        members.set(name, isSame(value, data[name]) ? text : asciiJson(data[name]))
      else if (!isShown(name, value)) members.set(name, text)
    }
    for (const name of Object.keys(data)) {
      if (!INTERNAL.has(name) && !members.has(name)) members.set(name, asciiJson(data[name]))
    }
    for (const [name, text] of this.#loginMembers(data._login, source)) members.set(name, text)
    if (data._guest !== undefined) members.set(OWN_GUEST, asciiJson(data._guest))
    return members
  }

  #loginMembers(login: SessionLogin | undefined, source: Source): [name: string, text: string][] {
    if (!login) return []
    const before = this.#loginOf(source)
    const isDjangos = login.backend === this.#logins.backend
    if (!isDjangos && !(source.has(USER_ID) && before?.backend === login.backend))
      return [[OWN_LOGIN, asciiJson(login)]]
    const known = source.get(USER_BACKEND)?.value
    const isOfSame = before?.backend === login.backend && before.id === login.id
    const backend = isOfSame ? known : this.#logins.authenticationBackends[0]
    return [
      [USER_ID, asciiJson(login.id)],
      [USER_BACKEND, asciiJson(backend)],
      [USER_HASH, asciiJson(login.stamp.replace(/\.$/, ''))],
      ...(login.via === undefined ? [] : ([[OWN_VIA, asciiJson(login.via)]] as [string, string][])),
    ]
  }
}

/** Whether a member is a value of the session's data, as it stands. */
function isShown(name: string, value: unknown): boolean {
  if (value === undefined || name === '__proto__' || TRANSLATED.has(name) || INTERNAL.has(name)) return false
  return isStorable({ [name]: value })
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
