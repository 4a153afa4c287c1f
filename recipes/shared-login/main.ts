/** Starts the shop and the forum: `npm run recipe -- shared-login`. PORT is the shop's and the forum's is the next one; SESSIONS says where sessions are. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../test/servers/port.ts'
import { type Demonstration, demonstrate } from '../demonstration.ts'
import { fillDatabases, PEOPLE } from './example.ts'
import { startApplication } from './processes.ts'

/** Names below localhost lead to this machine, so that there are two hosts of one domain. */
const DOMAIN = 'teas.localhost'

async function start(owner: Demonstration): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shared-login-'))
  owner.teardown(() => rm(folder, { recursive: true, force: true }))
  const databases = {
    people: join(folder, 'people.sqlite'),
    shop: join(folder, 'shop.sqlite'),
    forum: join(folder, 'forum.sqlite'),
  }
  await fillDatabases(databases)
  const port = Number(process.env.PORT ?? 3000)
  const options = {
    databases,
    sessions: process.env.SESSIONS ?? join(folder, 'sessions'),
    keys: [randomBytes(32).toString('base64url')],
    domain: DOMAIN,
    ports: port === 0 ? { shop: await freePort(), forum: await freePort() } : { shop: port, forum: port + 1 },
  }
  const shop = await startApplication(owner, 'shop', options)
  const forum = await startApplication(owner, 'forum', options)
  return `The shop is at ${shop}/
The forum is at ${forum}/
Sessions are in ${options.sessions}

Who can log in at either, and the password:
${Object.entries(PEOPLE)
  .map(([name, password]) => `  ${name.padEnd(5)} ${password}`)
  .join('\n')}

Log in at the shop, and look at the forum:
  curl --silent --cookie-jar cookies --data 'username=ada&password=ada-demo-password' ${shop}/login
  curl --silent --cookie cookies ${forum}/
Log out there, with the same cookie, and look at the shop:
  curl --silent --cookie cookies --data '' ${forum}/logout
  curl --silent --cookie cookies ${shop}/

Ctrl-C ends both.`
}

await demonstrate(start)
