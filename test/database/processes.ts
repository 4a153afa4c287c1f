import { fork } from 'node:child_process'
import type { ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { nextMessage } from '../next-message.ts'

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
  await Promise.all(workers.map(nextMessage))
  const answers = workers.map(nextMessage<Answer>)
  for (const worker of workers) worker.send('go')
  return Promise.all(answers)
}
