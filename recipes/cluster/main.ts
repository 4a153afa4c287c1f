/** Starts all of it on this machine: `npm run recipe -- cluster`. PORT can be set. */
import { type Demonstration, demonstrate } from '../demonstration.ts'
import { PEOPLE } from './example.ts'
import { startSite } from './site.ts'

async function start(owner: Demonstration): Promise<string> {
  const port = Number(process.env.PORT ?? 3000)
  const { origin, apps, redis, galera, nginx } = await startSite(owner, {
    people: PEOPLE,
    ...(port !== 0 && { port }),
  })
  const roles = await Promise.all(redis.nodes.map(async node => (await redis.ask(node, 'role')).split('\n')[0]))
  const master = redis.nodes[roles.indexOf('master')]!
  const [node] = galera.nodes
  const curl = 'curl --silent --cookie cookies'
  return `The club is at ${origin}/
That is an nginx (pid ${nginx.pid}) in front of two processes:
${apps.map(app => `  port ${app.port}  pid ${app.pid}  ${app.name}`).join('\n')}
The sessions are in a Redis Cluster:
${redis.nodes.map((one, index) => `  port ${one.port}  pid ${one.pid}  ${roles[index]}`).join('\n')}
The users are in a MariaDB Galera cluster, behind a HAProxy:
${galera.nodes.map((one, index) => `  port ${one.port}  pid ${one.pid}  ${index === 0 ? 'in use' : 'in reserve'}`).join('\n')}

Who can log in, and the password:
${Object.entries(PEOPLE)
  .map(([name, password]) => `  ${name.padEnd(4)}  ${password}`)
  .join('\n')}

Log in, row, and look:
  curl --silent --cookie-jar cookies --data 'username=ada&password=${PEOPLE.ada}' ${origin}/login
  ${curl} --data '' ${origin}/laps
  ${curl} ${origin}/
Kill a process, and look again. Nothing has happened.
  kill -KILL ${apps[0]!.pid}
Kill a master of Redis. It takes some seconds if your session was there, and you are still logged in.
  kill -KILL ${master.pid}
Kill the database node in use. It takes some seconds for everybody.
  kill -KILL ${node!.pid}
Change the password. It ends all other sessions, whatever was killed before.
  ${curl} --cookie-jar cookies --data 'password=${PEOPLE.ada}&next=another-password-of-ada' ${origin}/password

Ctrl-C ends it, all nodes included.`
}

await demonstrate(start)
