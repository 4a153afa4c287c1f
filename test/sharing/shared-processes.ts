import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { ApplicationSetting } from './shared-app.ts'

interface Answer {
  order: number
  port?: number
  failed?: string
}

/** A process beside that of the test, which serves applications. */
export class ServingProcess {
  readonly #child: ChildProcess
  #orders = 0

  constructor() {
    this.#child = fork(new URL('shared-process.ts', import.meta.url), {
      execArgv: ['--conditions=koa-strata:source'],
    })
    this.#child.setMaxListeners(0)
  }

  /** Serves an application there, and answers its port. */
  async serve(setting: ApplicationSetting): Promise<number> {
    const order = this.#orders++
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const onMessage = ({ order: answered, port, failed }: Answer) => {
      if (answered !== order) return
      if (port === undefined) reject(new Error(failed))
      else resolve(port)
    }
    const onExit = (code: number) => reject(new Error(`The process ended with ${code}.`))
    this.#child.on('message', onMessage).on('exit', onExit)
    this.#child.send({ order, setting })
    return promise.finally(() => this.#child.off('message', onMessage).off('exit', onExit))
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.disconnect()
    await exit
  }
}
