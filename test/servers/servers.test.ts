import test from 'ava'
import { startMariadb } from './mariadb.ts'
import { startMemcached } from './memcached.ts'
import { firstWords } from './port.ts'
import { startPostgresql } from './postgresql.ts'
import { startRedis } from './redis.ts'
import { startRedisCluster } from './redis-cluster.ts'
import { sharedServer } from './shared.ts'

for (const [name, start] of Object.entries({ startRedis, startMemcached, startMariadb, startPostgresql })) {
  test(`${name} starts a private server, which can be killed, started again and frozen.`, async t => {
    const begun = performance.now()
    const server = await start(t)
    t.log(server.url, Math.round(performance.now() - begun))
    await server.kill()
    t.is(await firstWords(server.port, 'x\r\n'), '')
    const again = performance.now()
    await server.restart()
    t.log(Math.round(performance.now() - again))
    server.signal('SIGSTOP')
    server.signal('SIGCONT')
  })
}

test('startRedisCluster starts a private cluster, which knows its masters.', async t => {
  const begun = performance.now()
  const cluster = await startRedisCluster(t)
  t.log(Math.round(performance.now() - begun))
  t.is(cluster.urls.length, 6)
  const master = await cluster.masterOf('key')
  t.regex(await cluster.ask(master, 'role'), /^master/)
})

test('A shared server is the same for everybody.', async t => {
  for (const name of ['redis', 'memcached', 'memcached-trio', 'mariadb', 'postgresql', 'redis-cluster'] as const) {
    const urls = await sharedServer(name)
    t.log(urls)
    t.deepEqual(urls, await sharedServer(name))
  }
})
