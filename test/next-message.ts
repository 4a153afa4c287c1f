import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** What a process of a test sends next. Rejects where it ends without another word. */
export async function nextMessage<Message>(worker: ChildProcess): Promise<Message> {
  const over = new AbortController()
  const { signal } = over
  // It comes behind the last message, which the exit of the process may overtake.
  const end = once(worker, 'disconnect', { signal }).then(() => {
    throw new Error(`the process ended with ${worker.exitCode}`)
  })
  try {
    const [message] = await Promise.race([once(worker, 'message', { signal }), end])
    return message
  } finally {
    end.catch(() => {})
    over.abort()
  }
}
