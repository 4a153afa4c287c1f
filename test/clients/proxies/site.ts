import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nextMessage } from '../../next-message.ts'
import { newFolder } from '../../servers/folder.ts'
import type { Owner } from '../../servers/owner.ts'
import { freePort } from '../../servers/port.ts'

/** Where everything listens, and what the site goes by. */
export const HOST = '127.0.0.1'
/** Where the proxies connect from, which the site believes. */
export const PROXY = '127.0.0.1'

/** One process of the site. */
export interface SiteProcess {
  readonly port: number
  readonly pid: number
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
  /** Starts another in its place, on its port. */
  restart(): Promise<void>
}

/** Two processes of one app that share sessions and keys, to stand behind proxies. */
export interface Site {
  readonly processes: readonly [SiteProcess, SiteProcess]
  /** Every id that was handed to `/count`, as often as it was. */
  counted(): string[]
}

/** @param secure whether the session's cookie is for https only */
export async function startSite(owner: Owner, { secure }: { secure: boolean }): Promise<Site> {
  const folder = newFolder('site')
  const start = () => startProcess(owner, [folder, String(secure)])
  return {
    processes: await Promise.all([start(), start()]),
    counted: () => readFileSync(join(folder, 'counted'), 'utf8').trimEnd().split('\n'),
  }
}

async function startProcess(owner: Owner, [folder, secure]: readonly [string, string]): Promise<SiteProcess> {
  const port = await freePort()
  const launch = async () => {
    const child = fork(fileURLToPath(new URL('site-process.ts', import.meta.url)), [folder, String(port), secure], {
      execArgv: ['--conditions=koa-strata:source'],
    })
    await nextMessage(child)
    return { child, exit: once(child, 'exit') }
  }
  let running = await launch()
  const kill = async () => {
    running.child.kill('SIGKILL')
    await running.exit
  }
  owner.teardown(kill)
  return {
    port,
    get pid() {
      return running.child.pid!
    },
    kill,
    async restart() {
      running = await launch()
    },
  }
}
