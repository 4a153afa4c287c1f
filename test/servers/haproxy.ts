import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { freePort } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

/** Where a HAProxy is, for its configuration. */
export interface HaproxyPlace {
  /** What it listens on, of 127.0.0.1. */
  readonly port: number
  /** More such ports, as many as were asked for. */
  readonly morePorts: readonly number[]
  /** For what its configuration names: lists, pages, certificates. */
  readonly folder: string
}

/** What a HAProxy is started with. */
export interface HaproxyOptions {
  /** Its sections: at least one that binds `127.0.0.1:<port>`, in whatever mode. `global` is there, and may be added to. */
  configuration(place: HaproxyPlace): string
  /** How many ports it needs beside the one, for TLS and the like. @default 0 */
  morePorts?: number
}

/** A private HAProxy, of one process and one thread. It ignores what is in /etc/haproxy, and its log is its stderr: sections that want one say `log global`. */
export async function startHaproxy(owner: Owner, options: HaproxyOptions): Promise<Server> {
  const { configuration, morePorts: count = 0 } = options
  const folder = newFolder('haproxy')
  const path = program('haproxy', 'haproxy')
  const [file, commands] = [join(folder, 'haproxy.cfg'), join(folder, 'commands')]
  const morePorts = await Promise.all(Array.from({ length: count }, freePort))
  return Server.start(owner, {
    name: 'haproxy',
    folder,
    start: port => {
      writeFileSync(file, global(commands) + configuration({ port, morePorts, folder }))
      return { program: path, args: ['-db', '-f', file] }
    },
    url: port => `http://127.0.0.1:${port}`,
    // It takes commands when it listens on all that it binds, whatever stands behind it.
    answers: async () => (await said(commands, 'show info').catch(() => '')).startsWith('Name: HAProxy'),
  })
}

/** By itself it would share a port with another HAProxy of the same user. */
function global(commands: string): string {
  return `global
  stats socket ${commands} mode 600
  log stderr format raw daemon
  nbthread 1
  maxconn 2000
  noreuseport
`
}

/** What it answers to a command of its Runtime API: it closes the connection behind it. */
async function said(path: string, command: string): Promise<string> {
  const chunks: Buffer[] = []
  const connection = connect(path).end(`${command}\n`)
  connection.setTimeout(500, () => connection.destroy())
  for await (const chunk of connection) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
