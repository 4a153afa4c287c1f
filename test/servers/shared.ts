import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** The servers that all tests of a run share. */
export type SharedServer = 'redis' | 'redis-cluster' | 'memcached' | 'memcached-trio' | 'mariadb' | 'postgresql'

/** How long the servers' keeper may take to listen, in milliseconds. */
const PATIENCE = 30_000

/**
 * The URLs of a server that all tests of this run share: those that `STRATA_REDIS_URL` and the like name, separated by commas, else a private
 * one, started when the first test asks for it. Nobody may stop, freeze or flush it; keep to keys and tables of your own.
 */
export async function sharedServer(name: SharedServer): Promise<string[]> {
  const given = process.env[`STRATA_${name.toUpperCase().replaceAll('-', '_')}_URL`]
  if (given) return given.split(',')
  // AVA runs each test file in a process of its own; their parent is the run.
  const folder = join(tmpdir(), `strata-run-${process.ppid}-${startOf(process.ppid)}`)
  if (isFirst(folder)) startKeeper(folder)
  const { urls, failed } = await ask(join(folder, 'socket'), name)
  if (failed) throw new Error(failed)
  return urls
}

/** When a process was started, so that a later one of the same number is another; 0 where the system does not tell. */
function startOf(pid: number): string {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) (?!.*\))/)
    return fields.split(' ')[19] ?? '0'
  } catch {
    return '0'
  }
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 })
    return true
  } catch {
    return false
  }
}

function startKeeper(folder: string): void {
  const keeper = new URL('keeper.ts', import.meta.url).pathname
  spawn(process.execPath, [keeper, folder, String(process.ppid)], { detached: true, stdio: 'ignore' }).unref()
}

async function ask(socketPath: string, name: string): Promise<{ urls: string[]; failed?: string }> {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    try {
      const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        http.get({ socketPath, path: `/${name}`, agent: false }, resolve).on('error', reject)
      })
      return JSON.parse(Buffer.concat(await response.toArray()).toString())
    } catch (error) {
      if (performance.now() > deadline) throw error
      await wait(50)
    }
  }
}
