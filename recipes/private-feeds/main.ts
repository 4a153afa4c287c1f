/** Starts the tool library behind an nginx: `npm run recipe -- private-feeds`. PORT can be set. */
import { type Demonstration, demonstrate } from '../demonstration.ts'
import { PEOPLE } from './example.ts'
import { startSite } from './site.ts'

async function start(owner: Demonstration): Promise<string> {
  const port = Number(process.env.PORT ?? 3000)
  const { origin, app, nginx, folder } = await startSite(owner, {
    log: line => console.log(line),
    ...(port !== 0 && { port }),
  })
  const curl = 'curl --silent'
  const look = `${curl} --include`
  return `The tool library is at ${origin}/
That is an nginx (pid ${nginx.pid}); the app is behind it, at ${app}, and logs here.

Who can log in, and the password:
${Object.entries(PEOPLE)
  .map(([name, password]) => `  ${name.padEnd(5)}  ${password}`)
  .join('\n')}

The feed for everybody, twice: the second answer is the cache's (X-Cache: HIT).
  ${look} ${origin}/tools.atom
The feed of one person: 401 without a password, and never from the cache.
  ${look} ${origin}/loans.atom
  ${look} --user 'ines:${PEOPLE.ines}' ${origin}/loans.atom
Make a token, as the page ${origin}/feeds does, and read by it:
  ${curl} --output /dev/null --cookie-jar cookies --data-urlencode 'username=ines' --data-urlencode 'password=${PEOPLE.ines}' ${origin}/login
  ${curl} --cookie cookies --data 'name=My reader' ${origin}/feeds/tokens | grep --only-matching --max-count=1 'feed_[A-Za-z0-9_-]*' | tee token
  ${curl} "${origin}/loans.atom?token=$(cat token)"
nginx's log does not have it: this prints 0.
  printf '%s\\n' "$(grep --count "$(cat token)" ${folder}/tool-library.access.log)"

Ctrl-C ends it, nginx included.`
}

await demonstrate(start)
