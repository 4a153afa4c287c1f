import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { nextMessage } from '../../next-message.ts'
import type { Owner } from '../../servers/owner.ts'
import type { Work } from './worker.ts'

/** Processes of `worker.ts`, which wait for work. */
export class Processes {
  readonly #all: readonly ChildProcess[]

  private constructor(all: readonly ChildProcess[]) {
    this.#all = all
  }

  static async start(owner: Owner, count: number): Promise<Processes> {
    const all = Array.from({ length: count }, () =>
      fork(new URL('worker.ts', import.meta.url), { execArgv: ['--conditions=koa-strata:source'] }),
    )
    owner.teardown(() => {
      for (const one of all) one.kill('SIGKILL')
    })
    await Promise.all(all.map(nextMessage))
    return new Processes(all)
  }

  /** Has the processes do a task each at the same time, and resolves to what each has answered. */
  async run(
    tasks: readonly Work['task'][],
    work: Pick<Work, 'directory' | 'keys'> & Partial<Work>,
  ): Promise<unknown[]> {
    const used = this.#all.slice(0, tasks.length)
    const answers = used.map(nextMessage<{ answer?: unknown }>)
    for (const [index, one] of used.entries())
      one.send({ times: 0, by: 'records', ...work, index, task: tasks[index]! } satisfies Work)
    return (await Promise.all(answers)).map(({ answer }) => answer)
  }

  /** Has the first process begin a task, and kills it without a word once `when` has resolved. */
  async kill(
    work: Partial<Work> & Pick<Work, 'task' | 'directory' | 'keys'>,
    when: () => Promise<unknown>,
  ): Promise<void> {
    const [one] = this.#all as readonly [ChildProcess]
    one.send({ times: 0, by: 'records', ...work, index: 0 } satisfies Work)
    await when()
    const over = once(one, 'exit')
    one.kill('SIGKILL')
    await over
  }
}
