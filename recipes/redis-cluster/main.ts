/** Starts a Redis Cluster of six nodes and three processes of the app on it: `npm run recipe -- redis-cluster`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { startRedisCluster } from '../../test/servers/redis-cluster.ts'
import { type Demonstration, demonstrate } from '../demonstration.ts'
import { PEOPLE } from './app.ts'
import { startProcesses } from './processes.ts'

async function start(owner: Demonstration): Promise<string> {
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

await demonstrate(start)
