interface Next<Answer> extends PromiseWithResolvers<Answer> {
  readonly call: () => Promise<Answer>
}

/** The calls for one key: one is underway, and one at most is to come. */
interface Line<Answer> {
  next: Next<Answer> | null
}

/**
 * Makes one call of many for the same thing. Whoever asks while one is underway waits for the next, since what that finds out may have changed since
 * it began: each is answered by a call that began after they asked, and of a thousand at once there are two. Where a call fails, so does the next
 * without being made.
 */
export class SingleFlight<Answer> {
  readonly #lines = new Map<string, Line<Answer>>()

  run(key: string, call: () => Promise<Answer>): Promise<Answer> {
    const line = this.#lines.get(key)
    if (!line) return this.#begin(key, call)
    line.next ??= { call, ...Promise.withResolvers<Answer>() }
    return line.next.promise
  }

  #begin(key: string, call: () => Promise<Answer>): Promise<Answer> {
    const line: Line<Answer> = { next: null }
    this.#lines.set(key, line)
    const answer = call()
    answer.then(
      () => {
        if (line.next) line.next.resolve(this.#begin(key, line.next.call))
        else this.#lines.delete(key)
      },
      error => {
        this.#lines.delete(key)
        line.next?.reject(error)
      },
    )
    return answer
  }
}
