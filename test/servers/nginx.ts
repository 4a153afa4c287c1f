import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { firstWords, freePort } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

/** Where an nginx is, for its configuration. */
export interface NginxPlace {
  /** What it listens on, of 127.0.0.1. */
  readonly port: number
  /** More such ports, as many as were asked for. */
  readonly morePorts: readonly number[]
  /** For its caches and logs. */
  readonly folder: string
}

/** What an nginx is started with. */
export interface NginxOptions {
  /** What stands in the `http` block: at least a `server` that listens on `127.0.0.1:<port>`. */
  http(place: NginxPlace): string
  /** How many ports it needs beside the one, for TLS and the like. @default 0 */
  morePorts?: number
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** A private nginx, of one worker. It ignores what is in /etc/nginx, and logs nothing but errors unless the configuration says so. */
export async function startNginx(owner: Owner, { http, morePorts: count = 0 }: NginxOptions): Promise<Server> {
  const folder = newFolder('nginx')
  const path = program('nginx', 'nginx')
  const morePorts = await Promise.all(Array.from({ length: count }, freePort))
  const configuration = join(folder, 'nginx.conf')
  return Server.start(owner, {
    name: 'nginx',
    folder,
    start: port => {
      writeFileSync(configuration, whole(http({ port, morePorts, folder }), folder))
      return { program: path, args: ['-p', folder, '-c', configuration, '-e', 'stderr'] }
    },
    url: port => `http://127.0.0.1:${port}`,
    // It answers what is no request by itself, without asking whatever stands behind it.
    answers: async port => (await firstWords(port, 'x\r\n\r\n')).includes('<center>nginx'),
  })
}

function whole(http: string, folder: string): string {
  return `${process.getuid?.() === 0 ? `user ${userInfo().username};` : ''}
daemon off;
worker_processes 1;
error_log stderr warn;
pid ${join(folder, 'pid')};
events {
  worker_connections 1024;
}
http {
  access_log off;
${TEMPORARY.map(name => `  ${name}_temp_path ${join(folder, name)};`).join('\n')}
${http}
}
`
}
