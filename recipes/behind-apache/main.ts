/** Starts two processes of the notice board behind an Apache httpd: `npm run recipe -- behind-apache`. PORT can be set. */
import { fileURLToPath } from 'node:url'
import { type Demonstration, demonstrate } from '../demonstration.ts'
import { MEMBERS } from './identity.ts'
import { STAFF, startSite } from './site.ts'

async function start(owner: Demonstration): Promise<string> {
  const port = Number(process.env.PORT ?? 3000)
  const { address, origin, certificate, processes, apache } = await startSite(owner, port === 0 ? undefined : port)
  const [one] = processes
  const curl = `curl --silent --cacert ${certificate.certificate}`
  const person = ([name, password]: [string, string]) => `  ${name.padEnd(5)}  ${password}`
  const digest = fileURLToPath(new URL('digest.ts', import.meta.url))
  return `The notice board is at ${address}/
That is an Apache httpd (pid ${apache.pid}) with a certificate of its own making. Behind it are ${processes.map(({ pid, port }) => `127.0.0.1:${port} (pid ${pid})`).join(' and ')}.

Who logs in by the form, and the password:
${Object.entries(MEMBERS).map(person).join('\n')}
Whom Apache asks for a password, for the drafts:
${Object.entries(STAFF).map(person).join('\n')}

Log in, and look twice: each process makes one page.
  ${curl} --cookie-jar cookies --data 'username=ada&password=${MEMBERS.ada}' --output /dev/null ${address}/login
  ${curl} --cookie cookies ${address}/berth
  ${curl} --cookie cookies ${address}/berth
The drafts: 401 without a password, whomever one claims to be.
  ${curl} --include --header 'X-Remote-User: grace' ${address}/staff
  ${curl} --user grace:${STAFF.grace} ${address}/staff
Past Apache from another machine nobody is believed.
  curl --silent --include --interface 127.0.0.2 --header 'Host: 127.0.0.1' --header 'X-Remote-User: grace' http://127.0.0.1:${one!.port}/staff
The feed, whose ids are whole addresses, and a message with the same addresses that no request has asked for:
  ${curl} ${address}/notices.atom
  env PUBLIC_ORIGIN=${origin} ${process.execPath} --conditions=koa-strata:source ${digest} ada@boats.example
Kill a process, and look again: still logged in, at the other one.
  kill -KILL ${one!.pid}
  ${curl} --cookie cookies ${address}/berth

Ctrl-C ends it, Apache included.`
}

await demonstrate(start)
