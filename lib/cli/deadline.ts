/** How long a server may take to let this program in, and to answer, in milliseconds. */
export const PATIENCE = 5_000

/** What `attempt` answers, or an error after so many milliseconds; whatever it answers later is let go of. */
export async function within<Answer>(attempt: PromiseLike<Answer>, milliseconds = PATIENCE): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds)
  })
  try {
    return await Promise.race([attempt, late])
  } finally {
    clearTimeout(timer)
  }
}
