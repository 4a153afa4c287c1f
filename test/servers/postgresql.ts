import { execFile, execFileSync } from 'node:child_process'
import { chownSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { firstWords } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

const run = promisify(execFile)

/** The start of a connection, of protocol 3.0: the answer is a message of type R when it takes connections, E when not yet. */
const STARTUP = Buffer.from('\0\0\0\x27\0\x03\0\0user\0strata\0database\0postgres\0\0', 'latin1')

/**
 * A private PostgreSQL, whose user `strata` may do anything.
 * @param options.settings as `{ max_connections: '10' }`
 * @param options.folder where its data is kept @default a new one
 */
export async function startPostgresql(
  owner: Owner,
  { settings = {}, folder = newFolder('postgresql') }: { settings?: Record<string, string>; folder?: string } = {},
): Promise<Server> {
  const path = program('postgres', 'postgresql')
  const as = process.getuid?.() === 0 ? debianUser() : undefined
  if (as) chownSync(folder, as.uid, as.gid)
  const data = join(folder, 'data')
  await run(
    program('initdb', 'postgresql'),
    ['-D', data, '-U', 'strata', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
    { ...as, cwd: folder },
  )
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '300',
    // What is committed outlives a kill of the server, and not a power cut, which no test brings about.
    fsync: 'off',
    ...settings,
  }
  return Server.start(owner, {
    name: 'postgres',
    folder,
    start: port => ({
      program: path,
      args: [
        '-D',
        data,
        '-p',
        String(port),
        ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      as,
    }),
    url: port => `postgresql://strata@127.0.0.1:${port}/postgres`,
    answers: async port => (await firstWords(port, STARTUP)).startsWith('R'),
  })
}

/** It refuses to run as root; Debian's package makes a user for it. */
function debianUser(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
