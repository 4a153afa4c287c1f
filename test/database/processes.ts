import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { ExecutionContext } from 'ava'
import type { Knex } from 'knex'

/**
 * Runs a task of `worker.ts` in several processes, which all wait until every one of them is ready. Answers what each has answered.
 * @param config what each makes its knex instance with
 */
export async function inProcesses<Answer>(
  t: ExecutionContext,
  count: number,
  task: string,
  config: Knex.Config,
  ...parameters: string[]
): Promise<Answer[]> {
  const workers = Array.from({ length: count }, () =>
    fork(new URL('worker.ts', import.meta.url), [task, JSON.stringify(config), ...parameters], {
      execArgv: ['--conditions=koa-strata:source'],
    }),
  )
  t.teardown(() => {
    for (const worker of workers) worker.kill()
  })
  const next = async (worker: (typeof workers)[number]) => {
    const over = new AbortController()
    const exit = once(worker, 'exit', { signal: over.signal }).then(([code]) => {
      throw new Error(`the process ended with ${code}`)
    })
    const [message] = await Promise.race([once(worker, 'message', { signal: over.signal }), exit])
    over.abort()
    exit.catch(() => {})
    return message
  }
  await Promise.all(workers.map(next))
  const answers = workers.map(next)
  for (const worker of workers) worker.send('go')
  return Promise.all(answers)
}
