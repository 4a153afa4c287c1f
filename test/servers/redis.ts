import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { firstWords } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

/** What a Redis is started with beyond its port and folder. */
export interface RedisOptions {
  /** Directives of redis.conf, as `{ maxmemory: '10mb' }`. It keeps nothing on disk unless told. */
  config?: Readonly<Record<string, string>> | undefined
}

/** A private Redis. */
export function startRedis(owner: Owner, { config = {} }: RedisOptions = {}): Promise<Server> {
  const folder = newFolder('redis')
  const path = program('redis-server', 'redis-server')
  const fixed = { bind: '127.0.0.1', dir: folder, daemonize: 'no' }
  const settings = Object.entries({ save: '', appendonly: 'no', ...config, ...fixed })
  return Server.start(owner, {
    name: 'redis-server',
    folder,
    start: port => ({
      program: path,
      args: ['--port', String(port), ...settings.flatMap(([name, value]) => [`--${name}`, value])],
    }),
    url: port => `redis://127.0.0.1:${port}`,
    // While it loads its data it answers -LOADING.
    answers: async port => (await firstWords(port, 'PING\r\n')) === '+PONG\r\n',
  })
}
