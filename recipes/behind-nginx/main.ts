/** Starts the choir behind an nginx: `npm run recipe -- behind-nginx`. PORT and DEADLINE can be set. */
import { type Demonstration, demonstrate } from '../demonstration.ts'
import { SINGERS } from './database.ts'
import { STAFF, startSite } from './site.ts'

async function start(owner: Demonstration): Promise<string> {
  const { PORT = '3000', DEADLINE = '500' } = process.env
  const { origin, http, certificate, nginx, processes } = await startSite(owner, {
    port: Number(PORT),
    deadline: Number(DEADLINE),
  })
  const curl = `curl --silent --cacert ${certificate}`
  const look = `${curl} --include`
  return `The choir is at ${origin}/
That is an nginx (pid ${nginx.pid}); ${http} sends you there. The app is behind it:
${processes.map(({ pid }) => `  pid ${pid}`).join('\n')}
Its certificate is of today, and no browser knows it: go on past the warning.

Who can log in, and the password:
${passwords(SINGERS)}
Ines may read the documents. Whom nginx lets in to ${origin}/staff:
${passwords(STAFF)}

Nobody is let in: the document sends them to the login, and so does http.
  ${look} ${origin}/documents/spring-concert.txt
  ${look} ${http}/documents/spring-concert.txt
Log in, and be let in: to a file of nginx, and to another program, which learns your name and not your cookie.
  ${curl} --output /dev/null --cookie-jar cookies --data 'username=ines&password=${SINGERS.ines}' ${origin}/login
  ${curl} --cookie cookies ${origin}/documents/spring-concert.txt
  ${curl} --cookie cookies ${origin}/archive/
Pretend to be somebody else, to come from elsewhere, and ask where nginx asks: none of it is believed.
  ${curl} --cookie cookies --header 'X-Remote-User: joan' ${origin}/archive/
  ${curl} --header 'X-Forwarded-For: 192.0.2.1' --header 'X-Forwarded-Host: evil.example' ${origin}/
  ${look} --cookie cookies ${origin}/auth
nginx asks for a password itself:
  ${curl} --user 'joan:${STAFF.joan}' ${origin}/staff
Kill a process of the app, and nothing changes; kill the other one, and nobody is let in any more: 500.
  kill -KILL ${processes[0]!.pid}
  ${curl} --cookie cookies ${origin}/documents/spring-concert.txt
  kill -KILL ${processes[1]!.pid}
  ${look} --cookie cookies ${origin}/documents/spring-concert.txt

Ctrl-C ends it, nginx included.`
}

function passwords(people: Readonly<Record<string, string>>): string {
  return Object.entries(people)
    .map(([name, password]) => `  ${name.padEnd(5)}  ${password}`)
    .join('\n')
}

await demonstrate(start)
