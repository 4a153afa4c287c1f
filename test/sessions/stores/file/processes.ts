import { fork } from 'node:child_process'
import { nextMessage } from '../../../next-message.ts'
import type { Owner } from '../../../servers/owner.ts'
import type { Work } from './worker.ts'

/**
 * Runs `worker.ts` once for each task, all on one directory, and starts them when every one of them is ready. Answers what each has answered.
 * @param kind which store: ours, or the control
 */
export async function inProcesses(
  owner: Owner,
  kind: 'store' | 'without CAS',
  directory: string,
  tasks: readonly Work['task'][],
  work: Partial<Work>,
): Promise<unknown[]> {
  const workers = tasks.map(() =>
    fork(new URL('worker.ts', import.meta.url), [kind, directory], {
      execArgv: ['--conditions=koa-strata:source'],
    }),
  )
  owner.teardown(() => {
    for (const worker of workers) worker.kill('SIGKILL')
  })
  await Promise.all(workers.map(nextMessage))
  const answers = workers.map(nextMessage<{ answer?: unknown }>)
  for (const [index, worker] of workers.entries()) {
    worker.send({ sessions: [], times: 0, ...work, index, task: tasks[index]! } satisfies Work)
  }
  return (await Promise.all(answers)).map(({ answer }) => answer)
}
