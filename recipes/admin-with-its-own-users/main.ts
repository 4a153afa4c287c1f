/** Starts the magazine and the publisher whose users its readers are: `npm run recipe -- admin-with-its-own-users`. PORT can be set. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Demonstration, demonstrate, listen } from '../demonstration.ts'
import { createMagazine } from './app.ts'
import { EDITORS, openExample, READERS } from './example.ts'
import { createPublisher } from './publisher.ts'

async function start(owner: Demonstration): Promise<string> {
  const options = await openExample(owner)
  const { origin } = await listen(owner, createMagazine(options).callback())
  const publisher = createServer(createPublisher(options.publisher).callback()).listen(0, '127.0.0.1')
  await once(publisher, 'listening')
  owner.teardown(() => {
    publisher.close()
    publisher.closeIdleConnections()
  })
  // A browser, and curl, send the cookies of a host to all its ports.
  const accounts = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}`

  const people = (some: Readonly<Record<string, string>>) =>
    Object.entries(some)
      .map(([name, password]) => `  ${name.padEnd(5)}  ${password}`)
      .join('\n')
  const login = (where: string, name: string, password = '') =>
    `  curl --silent --cookie cookies --cookie-jar cookies --data-urlencode 'username=${name}' --data-urlencode 'password=${password}' ${where}/login`
  const look = (where: string) => `  curl --silent --cookie cookies ${where}`
  return `The magazine is at ${origin}/ and its editors' pages at ${origin}/admin/
The publisher, which has the readers' accounts, is at ${accounts}/

Readers, with their passwords:
${people(READERS)}
Editors, with theirs:
${people(EDITORS)}

Log in at the publisher as the reader Ines: the magazine knows her, and its editors' pages do not.
${login(accounts, 'ines', READERS.ines)}
${look(`${origin}/`)}
${look(`${origin}/admin/`)}
Log in there as the editor Grace, with the same cookies, and look at both.
${login(`${origin}/admin`, 'grace', EDITORS.grace)}
${look(`${origin}/admin/`)}
${look(`${origin}/`)}
Log out at the publisher: the magazine has forgotten Ines, and still knows Grace.
  curl --silent --cookie cookies --cookie-jar cookies --request POST ${accounts}/logout
${look(`${origin}/`)}
${look(`${origin}/admin/`)}

Ctrl-C ends both.`
}

await demonstrate(start)
