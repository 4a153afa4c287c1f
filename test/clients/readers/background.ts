import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Guarded } from '../../servers/guarded.ts'
import { requireProgram } from '../programs.ts'
import type { Place } from './reader.ts'

/** How long a program may take to say what is waited for, in milliseconds. */
const PATIENCE = 60_000
/** How long it may take to end by itself, likewise. */
const GRACE = 5_000

/** A program that runs beside the test until the test ends. */
export class Background {
  readonly #process: Guarded
  readonly #log: string
  #heard = 0

  private constructor(process: Guarded, log: string) {
    this.#process = process
    this.#log = log
  }

  /** @param environment all of it */
  static async start(
    place: Place,
    program: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
  ): Promise<Background> {
    const log = join(place.home, `log-of-${program.slice(program.lastIndexOf('/') + 1)}`)
    writeFileSync(log, '')
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const process = await Guarded.start({
      program: requireProgram('env', { debianPackage: 'coreutils' }),
      args: ['--ignore-environment', ...variables, program, ...args],
      log,
    })
    const background = new Background(process, log)
    place.atEnd(() => background.#end())
    return background
  }

  /** All that it has said. */
  get said(): string {
    return readFileSync(this.#log, 'utf8')
  }

  /** Waits for what matches, after what matched before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = performance.now() + PATIENCE
    for (;;) {
      const isOver = !this.#process.runs || performance.now() > deadline
      const match = pattern.exec(this.said.slice(this.#heard))
      if (match) {
        this.#heard += match.index + match[0].length
        return match
      }
      if (isOver) throw new Error(`It did not say ${pattern}, after ${this.#heard} of: ${this.said}`)
      await wait(20)
    }
  }

  /** SIGTERM, by which it tidies up, and SIGKILL where that does not do. */
  async #end(): Promise<void> {
    const late = new AbortController()
    this.#process.signal('SIGTERM')
    await Promise.race([this.#process.exited, wait(GRACE, undefined, late).catch(() => {})])
    late.abort()
    await this.#process.kill()
  }
}
