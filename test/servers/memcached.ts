import { userInfo } from 'node:os'
import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { firstWords } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

/** A private memcached. @param options.args as `['-I', '64k']` */
export function startMemcached(owner: Owner, { args = [] }: { args?: readonly string[] } = {}): Promise<Server> {
  const path = program('memcached', 'memcached')
  return Server.start(owner, {
    name: 'memcached',
    folder: newFolder('memcached'),
    start: port => ({
      program: path,
      args: ['-l', '127.0.0.1', '-p', String(port), '-u', userInfo().username, ...args],
    }),
    url: port => `memcached://127.0.0.1:${port}`,
    answers: async port => (await firstWords(port, 'version\r\n')).startsWith('VERSION'),
  })
}
