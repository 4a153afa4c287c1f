/** Starts two processes of the pool behind a HAProxy: `npm run recipe -- behind-haproxy`. PORT and DEADLINE can be set. */
import { type Demonstration, demonstrate } from '../demonstration.ts'
import { SWIMMERS } from './app.ts'
import { startSite } from './site.ts'

async function start(owner: Demonstration): Promise<string> {
  const log = (line: string) => console.log(line)
  const { http, https, certificate, processes, haproxy } = await startSite(owner, {
    port: Number(process.env.PORT ?? 3000),
    deadline: Number(process.env.DEADLINE ?? 500),
    log,
  })
  const curl = `curl --silent --cacert ${certificate.certificate}`
  const status = `${curl} --output /dev/null --write-out '%{http_code}\\n'`
  return `The pool is at ${https}/ and, over plain http, at ${http}/
That is a HAProxy (pid ${haproxy.pid}). Behind it are process one (pid ${processes[0]!.pid}) and process two (pid ${processes[1]!.pid}).

Who can log in, and the password:
${[...SWIMMERS].map(([name, password]) => `  ${name.padEnd(5)}  ${password}`).join('\n')}
And at HAProxy, to see /staff:
  grace  grace-demo

Log in, and count a length: whichever process answers (X-Process) knows you.
  ${curl} --cookie-jar cookies --data 'username=ada&password=ada-demo' ${https}/login
  ${curl} --include --cookie cookies --data '' ${https}/lengths
  ${curl} --cookie cookies ${https}/
The staff are asked by HAProxy, whatever is claimed.
  ${curl} --include --header 'X-Remote-User: grace' ${https}/staff
  ${curl} --user grace:grace-demo ${https}/staff
Have a process end, and another one take its place, while 500 requests are sent: each is answered with 200.
  kill -TERM ${processes[0]!.pid}; ${status} --rate 200/s --cookie cookies '${http}/?[1-500]' | sort | uniq -c

Ctrl-C ends it, HAProxy included.`
}

await demonstrate(start)
