import { BackendInvalid, LoginInvalid, SessionsNotEndable } from '../errors.ts'
import { type SessionLogin, userKey } from '../sessions/content.ts'
import type { Epochs } from '../sessions/epochs.ts'
import type { SessionsSetting } from '../sessions/options.ts'
import type { SessionData } from '../sessions/store.ts'
import { backendFailure, checkUser, type UserBackend, userProblem } from './backend.ts'
import type { Backends } from './backends.ts'
import type { AuthenticatedUser } from './user.ts'

/** Why a login that a session carries does not hold any more. */
export type LoginLost = 'backend-gone' | 'user-gone' | 'user-inactive' | 'stamp-changed'

/** What of a user must be the same for credentials that were right to be so still. */
type Likeness = Pick<AuthenticatedUser, 'backend' | 'id' | 'stamp' | 'username' | 'email'>

/** Somebody who has shown credentials that were right, as they were then. */
export interface RememberedUser extends Likeness {
  /** The user, where nobody can be asked who they are now since sessions carry them. */
  readonly carried: AuthenticatedUser | null
  /** Whether credentials are wrong only when the user is not the same any more: another password shows in the stamp, and no other backend comes before. */
  readonly isBinding: boolean
}

/** Binds sessions to users, and tells from a session who is logged in by it. */
export class Logins {
  readonly #backends: Backends
  readonly #epochs: Epochs | null
  /** The backend whose logins another framework makes too, where it keeps these sessions. */
  readonly #shared: string | null
  /** Takes a user's sessions out of the store: how those are ended that another framework keeps too. Null where they are ours, or in no store. */
  readonly #remove: ((userKey: string, exceptId?: string) => Promise<void>) | null

  constructor(
    backends: Backends,
    epochs: Epochs | null,
    { sharedBackend, store }: Pick<SessionsSetting, 'sharedBackend' | 'store'> = { sharedBackend: null, store: null },
  ) {
    this.#backends = backends
    this.#epochs = epochs
    this.#shared = sharedBackend
    this.#remove = (sharedBackend !== null && store?.destroyAll) || null
  }

  /** What a session must carry for this user to be logged in by it. @throws LoginInvalid where it is no user of these backends */
  async bind(user: AuthenticatedUser): Promise<SessionLogin> {
    const backend = this.#backendOf(user)
    const problem = userProblem(backend, user)
    if (problem) throw new LoginInvalid(`it was handed ${problem}`)
    const ending = this.#endingOf(backend)
    // What the other framework binds sessions of its own users to holds without us.
    if (ending === 'none' && backend.name !== this.#shared) throw new SessionsNotEndable(backend.name)
    const epoch = ending === 'epoch' ? await this.#epochs!.bind(user.key) : ''
    return loginOf(backend, user, joinStamp(user.stamp, epoch))
  }

  /** What those sessions of this user are bound to that hold now. */
  async stampOf(user: AuthenticatedUser): Promise<string> {
    const backend = this.#backendOf(user)
    return joinStamp(user.stamp, await this.#epochOf(backend, user.key))
  }

  /**
   * The user who is logged in by this, and what the session should carry for it by now: the same login, unless it holds by a former stamp. Or why
   * nobody is. @throws BackendUnavailable
   */
  async userBy(login: SessionLogin): Promise<{ user: AuthenticatedUser; login: SessionLogin } | LoginLost> {
    const backend = this.#backends.get(login.backend)
    if (!backend) return 'backend-gone'
    const [user, epoch] = await Promise.all([
      this.#load(backend, login),
      this.#epochOf(backend, userKey(login.backend, login.id)),
    ])
    if (!user) return 'user-gone'
    if (!user.isActive) return 'user-inactive'
    const stamp = joinStamp(user.stamp, epoch)
    if (stamp === login.stamp) return { user, login }
    const holds = user.formerStamps?.some(former => joinStamp(former, epoch) === login.stamp)
    return holds ? { user, login: { ...login, stamp } } : 'stamp-changed'
  }

  /** What tells a user again who has shown credentials that are right. No session need ever have begun. */
  remember(user: AuthenticatedUser): RememberedUser {
    const asked = this.#backendOf(user)
    const [first] = [...this.#backends].filter(({ authenticate }) => authenticate)
    const { backend, id, stamp, username, email } = user
    const carried = asked.fromSession ? user : null
    const isBinding = asked === first && asked.stampFollowsPassword === true && !carried
    return { backend, id, stamp, username, email, carried, isBinding }
  }

  /** The user who was remembered; null where they are gone, may not log in, or are not quite the same any more. @throws BackendUnavailable */
  async recall(remembered: RememberedUser): Promise<AuthenticatedUser | null> {
    const { carried, stamp, username, email } = remembered
    if (carried) return carried
    const user = await this.activeUser(remembered)
    return user?.stamp === stamp && user.username === username && user.email === email ? user : null
  }

  /** The user with this id in a backend; null where there is none who may log in, or whom sessions alone carry. @throws BackendUnavailable */
  async activeUser({ backend, id }: { backend: string; id: string }): Promise<AuthenticatedUser | null> {
    const asked = this.#backends.get(backend)
    const user = asked && !asked.fromSession ? await this.#load(asked, { id }) : null
    return user?.isActive ? user : null
  }

  /** Whether `endAll()` can end the sessions of this user. */
  canEnd(user: { backend: string }): boolean {
    return this.#endingOf(this.#backendOf(user)) !== 'none'
  }

  /** Ends every session of a user, wherever they are. */
  async endAll(user: { backend: string; id: string }): Promise<void> {
    await this.#renewStamp(this.#backendOf(user), user)
  }

  /**
   * Ends every session of a user but the one that will carry what this answers. Null where there can be none: the user is gone, or somebody
   * else was ending them all.
   * @param sessionId what the store calls the session that will
   */
  async endOthers(
    user: AuthenticatedUser,
    sessionId: string | null,
  ): Promise<{ login: SessionLogin; user: AuthenticatedUser } | null> {
    const backend = this.#backendOf(user)
    const stamp = await this.#renewStamp(backend, user, sessionId ?? undefined)
    const renewed = backend.fromSession ? user : await this.#load(backend, user)
    return stamp !== null && renewed?.isActive ? { login: loginOf(backend, renewed, stamp), user: renewed } : null
  }

  /** Ends the logins that there are, and answers what the next ones are bound to; null where nobody will be. */
  async #renewStamp(
    backend: UserBackend,
    { id, stamp = '' }: { id: string; stamp?: string },
    exceptSession?: string,
  ): Promise<string | null> {
    const key = userKey(backend.name, id)
    switch (this.#endingOf(backend)) {
      case 'none':
        throw new SessionsNotEndable(backend.name)
      case 'removal':
        await this.#remove!(key, exceptSession)
        return joinStamp(stamp, '')
      case 'epoch': {
        const epoch = await this.#epochs!.renew(key)
        return epoch === null ? null : joinStamp(stamp, epoch)
      }
      case 'stamp':
        return this.#restamp(backend, id)
    }
  }

  async #restamp(backend: UserBackend, id: string): Promise<string | null> {
    try {
      const renewed = await backend.endSessions!(id)
      return renewed === null ? null : joinStamp(renewed, '')
    } catch (error) {
      throw backendFailure(backend.name, error)
    }
  }

  /** What ends all sessions of a backend's user: another stamp, their removal from the store, or another epoch beside them. */
  #endingOf(backend: UserBackend): 'stamp' | 'removal' | 'epoch' | 'none' {
    if (backend.endSessions) return 'stamp'
    if (this.#remove) return 'removal'
    return this.#epochs && backend.name !== this.#shared ? 'epoch' : 'none'
  }

  async #epochOf(backend: UserBackend, key: string): Promise<string> {
    return this.#endingOf(backend) === 'epoch' ? this.#epochs!.current(key) : ''
  }

  async #load(
    backend: UserBackend,
    { id, snapshot }: { id: string; snapshot?: SessionData },
  ): Promise<AuthenticatedUser | null> {
    try {
      const user = backend.fromSession ? backend.fromSession(snapshot ?? {}) : await this.#backends.load(backend, id)
      if (!user) return null
      if (checkUser(backend, user).id !== id)
        throw new BackendInvalid(backend.name, 'answered another user than the one that was asked for.')
      return user
    } catch (error) {
      if (error instanceof BackendInvalid) throw error
      throw backendFailure(backend.name, error)
    }
  }

  #backendOf(user: { backend: string }): UserBackend {
    const backend = this.#backends.get(user.backend)
    if (!backend) throw new LoginInvalid(`no backend of users() is named '${user.backend}'.`)
    return backend
  }
}

function loginOf(backend: UserBackend, user: AuthenticatedUser, stamp: string): SessionLogin {
  const login = { backend: backend.name, id: user.id, stamp }
  return backend.toSession ? { ...login, snapshot: backend.toSession(user) } : login
}

function joinStamp(stamp: string, epoch: string): string {
  return `${stamp}.${epoch}`
}
