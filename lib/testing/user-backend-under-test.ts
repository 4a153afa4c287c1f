import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import Koa, { type ParameterizedContext } from 'koa'
import { AccessDenied } from '../errors.ts'
import { type Credentials, type UserBackend, userProblem } from '../users/backend.ts'
import type { AuthenticatedUser } from '../users/user.ts'

/** Somebody whom a check wants to be there. */
export interface TestPerson {
  readonly username: string
  /** Text of 20 characters or more that nobody would guess. */
  readonly password: string
}

/** What a check is handed: a backend, and what happens to its people behind its back. People of other checks may be there too. */
export interface UserBackendSetup {
  readonly backend: UserBackend
  /**
   * Puts somebody there who is active, is neither staff nor superuser and has no permission, and answers their id. Rejects where nobody can
   * have such a name, or somebody has it.
   */
  add(person: TestPerson): Promise<string>
  /** Gives them another password. Absent where that cannot be. */
  setPassword?(id: string, password: string): Promise<void>
  /** Locks them out. Absent where that cannot be. */
  deactivate?(id: string): Promise<void>
  /** Takes them away. Absent where that cannot be. */
  remove?(id: string): Promise<void>
}

/**
 * What a backend may lack: an optional method, something that its setup cannot bring about, or `load`, which those with `fromSession` are never
 * asked for.
 */
export type UserBackendNeed =
  | 'authenticate'
  | 'load'
  | 'loadMany'
  | 'identify'
  | 'endSessions'
  | 'toSession'
  | 'setPassword'
  | 'deactivate'
  | 'remove'

/** One check of the contract of `UserBackend`: it resolves, or rejects with an AssertionError that says what was wrong, or the backend's own error. */
export interface UserBackendCheck {
  (setup: UserBackendSetup): Promise<void>
  /** What the check is about, where a backend may lack it. */
  readonly needs: readonly UserBackendNeed[]
}

/** Somebody who is there. */
export interface KnownPerson extends TestPerson {
  readonly id: string
}

/** Ids and names that nobody has, of the kinds that something stumbles over. */
export const ODD_TEXTS: readonly string[] = [
  '',
  ' ',
  '0',
  '-1',
  '1e9',
  '0x1',
  'null',
  '__proto__',
  'constructor',
  'toString',
  '*',
  '%',
  '_',
  "' or '1'='1",
  '1; drop table users --',
  '*)(objectClass=*',
  '../../etc/passwd',
  'cn=nobody,dc=example',
  'a\0b',
  'a\r\nb',
  '🦊👩‍👩‍👧',
  'محمد 山田 Владимир',
  'x'.repeat(1024),
  'é'.repeat(512),
]

/** How somebody may write a name to be taken for whoever has it. */
export function lookalikesOf(name: string): string[] {
  const first = name[0]!
  return [
    name.toUpperCase(),
    `${name} `,
    ` ${name}`,
    `${name}\u00a0`,
    `${name}\0`,
    `${name}\u200b`,
    `${name}\u0301`,
    `${name}%`,
    `${name}*`,
    `_${name.slice(1)}`,
    // Fullwidth, dotless, Cyrillic.
    String.fromCharCode(first.charCodeAt(0) + 0xfee0) + name.slice(1),
    name.replace('i', 'ı'),
    name.replace('a', 'а'),
  ]
}

/** The backend that a check tries, and the people it puts there. */
export class BackendUnderTest {
  readonly backend: UserBackend
  readonly setup: UserBackendSetup
  readonly ctx: ParameterizedContext = requestContext()

  constructor(setup: UserBackendSetup) {
    this.backend = setup.backend
    this.setup = setup
  }

  async add(person: Partial<TestPerson> = {}): Promise<KnownPerson> {
    const whole = { username: newName(), password: newPassword(), ...person }
    return { ...whole, id: await this.setup.add(whole) }
  }

  /** Whoever has these credentials; nobody as well where the backend refuses them for good. */
  async login(credentials: Credentials): Promise<AuthenticatedUser | null> {
    try {
      return await this.backend.authenticate!(Object.freeze({ ...credentials }), this.ctx)
    } catch (error) {
      if (error instanceof AccessDenied) return null
      throw error
    }
  }

  /** The user that somebody is, in whichever way this backend comes by users. */
  async userOf({ id, username, password }: KnownPerson): Promise<AuthenticatedUser> {
    const user = this.backend.authenticate
      ? await this.login({ username, password })
      : this.backend.identify
        ? await this.backend.identify(username, this.ctx)
        : await this.backend.load(id)
    return this.assertUser(user, id)
  }

  /** That user at the next request: loaded, or from the session. */
  async again(user: AuthenticatedUser): Promise<AuthenticatedUser | null> {
    const { backend } = this
    return backend.fromSession ? backend.fromSession(carried(backend.toSession!(user))) : backend.load(user.id)
  }

  /** @throws AssertionError where this is not the user with this id, as this backend has to answer them */
  assertUser(user: AuthenticatedUser | null, id: string): AuthenticatedUser {
    assert.ok(user, 'nobody was answered for somebody who is there')
    assert.equal(userProblem(this.backend, user), null)
    assert.equal(user.id, id)
    return user
  }
}

/** What becomes of a snapshot in a session. */
export function carried<Value>(snapshot: Value): Value {
  return JSON.parse(JSON.stringify(snapshot))
}

/** A name that no other check uses, with letters that have lookalikes. */
export function newName(): string {
  return `maria${randomBytes(6).toString('hex')}`
}

/** A password that no other check uses. */
export function newPassword(): string {
  return randomBytes(18).toString('base64url')
}

/** Makes checks of functions that try a backend. */
export function checksOf(
  needs: readonly UserBackendNeed[],
  tries: Record<string, (on: BackendUnderTest) => Promise<void>>,
): Record<string, UserBackendCheck> {
  return Object.fromEntries(
    Object.entries(tries).map(([title, run]) => {
      const check = async (setup: UserBackendSetup) => {
        for (const need of needs) assert.ok(has(setup, need), `this check is for backends with ${need}`)
        await run(new BackendUnderTest(setup))
      }
      return [title, Object.assign(check, { needs })]
    }),
  )
}

function has({ backend, ...setup }: UserBackendSetup, need: UserBackendNeed): boolean {
  if (need === 'load') return !backend.fromSession
  return typeof { ...setup, ...methodsOf(backend) }[need] === 'function'
}

function methodsOf({ authenticate, loadMany, identify, endSessions, toSession }: UserBackend) {
  return { authenticate, loadMany, identify, endSessions, toSession }
}

/** The context of a request that nobody sent. */
function requestContext(): ParameterizedContext {
  const request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: '/' })
  return new Koa().createContext(request, new ServerResponse(request))
}
