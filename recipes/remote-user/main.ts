/** Starts the ledger behind an Apache httpd that asks for passwords: `npm run recipe -- remote-user`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { type Demonstration, demonstrate } from '../demonstration.ts'
import { knownToApache } from './identity.ts'
import { PEOPLE, startSite } from './site.ts'

async function start(owner: Demonstration): Promise<string> {
  const port = Number(process.env.PORT ?? 3000)
  const identity = knownToApache([randomBytes(32)])
  const { origin, app, certificate, apache } = await startSite(owner, { identity, ...(port !== 0 && { port }) })
  const curl = `curl --silent --cacert ${certificate.certificate}`
  return `The ledger is at ${origin}/
That is an Apache httpd (pid ${apache.pid}) with a certificate of its own making; the app is behind it, at 127.0.0.1:${app}.

Whom Apache lets in, and the password:
${Object.entries(PEOPLE)
  .map(([name, password]) => `  ${name.padEnd(5)}  ${password}`)
  .join('\n')}

Look twice: Apache's user is logged in, once.
  ${curl} --user noor:${PEOPLE.noor} --cookie-jar cookies --cookie cookies ${origin}/
  ${curl} --user noor:${PEOPLE.noor} --cookie-jar cookies --cookie cookies ${origin}/
Claim to be grace, who may read the ledger: still noor, who may not.
  ${curl} --include --user noor:${PEOPLE.noor} --header 'X-Remote-User: grace' ${origin}/ledger
  ${curl} --include --user grace:${PEOPLE.grace} ${origin}/ledger
Somebody else at the same browser: a new session.
  ${curl} --user grace:${PEOPLE.grace} --cookie-jar cookies --cookie cookies ${origin}/
Past Apache the header is nobody's, and the session of whom it named ends.
  curl --silent --include --interface 127.0.0.2 --header 'X-Remote-User: grace' http://127.0.0.1:${app}/ledger
  curl --silent --include --cookie "$(awk '/sid/ { print $6 "=" $7 }' cookies)" http://127.0.0.1:${app}/

Ctrl-C ends it, Apache included.`
}

await demonstrate(start)
