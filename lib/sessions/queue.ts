import { SessionStoreUnavailable } from '../errors.ts'

interface Waiting {
  proceed(): void
  giveUp(error: unknown): void
}

/**
 * One at a time for each key, in the order of arrival. Compare-and-swap alone would be right and slow: a hundred writers of one session would
 * make each other repeat thousands of tries. When the store is unavailable to the first, it is so to all who wait behind it.
 */
export class KeyedQueue {
  readonly #lines = new Map<string, Waiting[]>()

  /** Runs `task` in its turn. `waited` is true when others with this key ran while it stood in line. */
  async run<Answer>(key: string, task: (waited: boolean) => Promise<Answer>): Promise<Answer> {
    const line = this.#lines.get(key)
    if (line) await new Promise<void>((proceed, giveUp) => line.push({ proceed, giveUp }))
    else this.#lines.set(key, [])
    try {
      return await task(line !== undefined)
    } catch (error) {
      if (error instanceof SessionStoreUnavailable) {
        for (const waiting of this.#lines.get(key)?.splice(0) ?? []) waiting.giveUp(error)
      }
      throw error
    } finally {
      const next = this.#lines.get(key)?.shift()
      if (next) next.proceed()
      else this.#lines.delete(key)
    }
  }
}
