/** Starts a Redis Cluster of six nodes and three processes of the app on it: `npm run recipe -- redis-cluster`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { startRedisCluster } from '../../test/servers/redis-cluster.ts'
import { PEOPLE } from './app.ts'
import { startProcesses } from './processes.ts'

const ends: (() => unknown)[] = []
const owner = { teardown: (end: () => unknown) => ends.unshift(end) }

async function start(): Promise<string> {
  const cluster = await startRedisCluster(owner, { config: { 'cluster-require-full-coverage': 'no' } })
  const origins = await startProcesses(owner, {
    count: 3,
    nodes: cluster.urls,
    key: randomBytes(32).toString('base64url'),
    port: Number(process.env.PORT ?? 3000),
  })
  const roles = await Promise.all(cluster.nodes.map(async node => (await cluster.ask(node, 'role')).split('\n')[0]))
  const nodes = cluster.nodes.map(({ port, pid }, index) => `  port ${port}  pid ${pid}  ${roles[index]}`)
  const looks = origins.map(origin => `  curl --silent --cookie cookies ${origin}/`)
  const master = cluster.nodes[roles.indexOf('master')]!
  return `The counter is at ${origins.join('/, ')}/
Its sessions are in a Redis Cluster:
${nodes.join('\n')}

Who can log in, and the password:
${Object.entries(PEOPLE)
  .map(([name, password]) => `  ${name}  ${password}`)
  .join('\n')}

Log in at one process, and look at all:
  curl --silent --cookie-jar cookies --data 'username=ada&password=ada-demo' ${origins[0]}/login
${looks.join('\n')}
Kill a master, and look again. It takes some seconds if the session was there, and you are still logged in.
  kill -KILL ${master.pid}
See who is who now:
  redis-cli -p ${cluster.nodes.find(node => node !== master)!.port} cluster nodes

Ctrl-C ends it, all nodes included.`
}

async function end(): Promise<void> {
  for (const one of ends.splice(0)) await one()
}

process.once('SIGINT', end)
process.once('SIGTERM', end)
try {
  console.log(await start())
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  console.error(code === 'EADDRINUSE' ? 'Something else listens there. Choose another port: PORT=3100' : message)
  process.exitCode = 1
  await end()
}
