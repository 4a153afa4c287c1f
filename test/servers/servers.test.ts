import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { startApache } from './apache.ts'
import { startHaproxy } from './haproxy.ts'
import { startMariadb } from './mariadb.ts'
import { startMemcached } from './memcached.ts'
import { startNginx } from './nginx.ts'
import { firstWords } from './port.ts'
import { startPostgresql } from './postgresql.ts'
import { startRedis } from './redis.ts'
import { startRedisCluster } from './redis-cluster.ts'
import { sharedServer } from './shared.ts'

/** With a cache, for which it starts a process beside its worker. */
const cachingNginx = (t: ExecutionContext) =>
  startNginx(t, {
    http: ({ port, folder }) => `
      proxy_cache_path ${folder}/cache keys_zone=pages:1m;
      server { listen 127.0.0.1:${port}; return 204; }`,
  })
/** Without a site. */
const bareApache = (t: ExecutionContext) => startApache(t, { configuration: () => '' })
/** Without anything behind it. */
const aloneHaproxy = (t: ExecutionContext) =>
  startHaproxy(t, { configuration: ({ port }) => `listen all\n  bind 127.0.0.1:${port}\n  timeout client 1s\n` })
const starts = {
  startApache: bareApache,
  startHaproxy: aloneHaproxy,
  startRedis,
  startMemcached,
  startMariadb,
  startPostgresql,
  startNginx: cachingNginx,
}

for (const [name, start] of Object.entries(starts)) {
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

test('A server and its children end with the process that started them, also where that is killed.', async t => {
  const nginx = new URL('nginx.ts', import.meta.url).href
  const program = `
    import { startNginx } from ${JSON.stringify(nginx)}
    const http = ({ port }) => \`server { listen 127.0.0.1:\${port}; return 204; }\`
    const { port } = await startNginx({ teardown() {} }, { http })
    console.log(port)
    setInterval(() => {}, 1000)`
  const starter = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = Number(String((await once(starter.stdout, 'data'))[0]))
  t.not(await firstWords(port, 'x\r\n\r\n'), '')
  starter.kill('SIGKILL')
  // Its worker is what answers: it is gone when nobody does.
  while ((await firstWords(port, 'x\r\n\r\n')) !== '') await wait(20)
  t.pass()
})

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
