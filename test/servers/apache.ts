import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { firstWords, freePort } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

/** Where an Apache httpd is, for its configuration. */
export interface ApachePlace {
  /** What it listens on, of 127.0.0.1: `Listen` is there. */
  readonly port: number
  /** More such ports, as many as were asked for. */
  readonly morePorts: readonly number[]
  /** For what its configuration names: passwords, certificates, logs. It reads there whatever everybody may. */
  readonly folder: string
}

/** What an Apache httpd is started with. */
export interface ApacheOptions {
  /** The modules that the configuration needs beside those that serve at all, as `['proxy', 'proxy_http']`. @default none */
  modules?: readonly string[]
  /** What stands behind the global part: virtual hosts of these ports, or of others with a `Listen` of their own. */
  configuration(place: ApachePlace): string
  /** How many ports it needs beside the one, for TLS and the like. @default 0 */
  morePorts?: number
}

/** Where Debian puts its modules. */
const MODULES = '/usr/lib/apache2/modules'

/** A private Apache httpd, of one process beside the one that watches it. It ignores what is in /etc/apache2, and logs nothing but warnings and errors. */
export async function startApache(owner: Owner, options: ApacheOptions): Promise<Server> {
  const { modules = [], configuration, morePorts: count = 0 } = options
  const folder = newFolder('apache')
  chmodSync(folder, 0o711)
  const path = program('apache2', 'apache2-bin')
  const morePorts = await Promise.all(Array.from({ length: count }, freePort))
  const file = join(folder, 'apache2.conf')
  return Server.start(owner, {
    name: 'apache2',
    folder,
    start: port => {
      const place = { port, morePorts, folder }
      writeFileSync(file, whole(configuration(place), modules, place))
      return { program: path, args: ['-d', folder, '-f', file, '-D', 'FOREGROUND'] }
    },
    url: port => `http://127.0.0.1:${port}`,
    // It answers what is no request by itself, without asking whatever stands behind it.
    answers: async port => (await firstWords(port, 'x\r\n\r\n')).includes('<title>400 Bad Request</title>'),
  })
}

function whole(configuration: string, modules: readonly string[], { port, morePorts, folder }: ApachePlace): string {
  return `${['mpm_event', ...modules].map(name => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
# As root it would serve as somebody who owns nothing.
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup\n' : ''}ServerName localhost
${[port, ...morePorts].map(one => `Listen 127.0.0.1:${one}`).join('\n')}
DefaultRuntimeDir ${folder}
PidFile ${folder}/pid
ErrorLog /dev/stderr
# What System V keeps would outlive a kill.
Mutex pthread
ServerLimit 1
StartServers 1
ThreadsPerChild 64
MaxRequestWorkers 64
${configuration}
`
}
