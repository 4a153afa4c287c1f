import { isPlainObject } from '../../../options.ts'
import type { SessionData, SessionRecord } from '../../store.ts'
import { type FileHome, removed, renamed } from './home.ts'
import { ownerOf } from './pointer.ts'

/** A record on its way to its place: as it was when it was handed over. */
export class RecordFile {
  readonly owner: string
  readonly expiresAt: number
  readonly #home: FileHome
  readonly #json: string
  #path: string | null = null

  constructor(home: FileHome, { data, user, expiresAt }: SessionRecord) {
    this.owner = ownerOf(user)
    this.expiresAt = expiresAt
    this.#home = home
    this.#json = JSON.stringify({ user, data })
  }

  /** Writes it to a path that nobody else looks at yet. */
  async writeTo(path: string): Promise<void> {
    await this.#home.write(path, this.#json)
    this.#path = path
  }

  /** Moves it to a path where others look; false where it, or the directory to move it to, is gone meanwhile. */
  async moveTo(path: string): Promise<boolean> {
    if (this.#path === null) await this.writeTo(this.#home.newPath())
    const moved = await renamed(this.#path!, path)
    if (moved) this.#path = path
    else await this.discard()
    return moved
  }

  /** It is where it belongs. */
  release(): void {
    this.#path = null
  }

  /** Removes it. What cannot be removed is left to `sweep`. */
  async discard(): Promise<void> {
    const path = this.#path
    this.#path = null
    if (path !== null) await removed(path).catch(() => {})
  }
}

/** What a file holds. What is no record is answered as it stands: the session layer knows by that that it is corrupt. */
export function recordOf(text: string): Pick<SessionRecord, 'data' | 'user'> {
  const kept = parsed(text)
  if (!isPlainObject(kept) || kept.data === undefined || kept.data === null)
    return { data: text as unknown as SessionData, user: null }
  return { data: kept.data as SessionData, user: typeof kept.user === 'string' ? kept.user : null }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
