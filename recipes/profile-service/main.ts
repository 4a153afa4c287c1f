/**
 * Starts the canteen and the service of its personnel department: `npm run recipe -- profile-service`. PORT can be set, and ON_UNAVAILABLE to
 * 'fail' or 'without'.
 */
import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import type { StrataEvents } from 'koa-strata'
import { type Demonstration, demonstrate, listen } from '../demonstration.ts'
import { createCanteen } from './app.ts'
import { readEmployee } from './employee.ts'
import { agencyTemps, EMPLOYEES, employ, openExample, PEOPLE, Personnel } from './example.ts'
import { httpProfiles } from './http-profiles.ts'

const MODES = ['fail', 'without'] as const

async function start(owner: Demonstration): Promise<string> {
  const { ON_UNAVAILABLE = 'without' } = process.env
  const onUnavailable = MODES.find(mode => mode === ON_UNAVAILABLE)
  if (!onUnavailable) throw new Error(`ON_UNAVAILABLE can be ${MODES.join(' or ')}.`)
  const { database, backends, keys } = await openExample(owner)
  const personnel = await Personnel.start(owner)
  await employ(personnel, keys)
  subscribe('koa-strata:backend-error', message => {
    const { backend, error } = message as StrataEvents['koa-strata:backend-error']
    console.error(`${backend}: ${error instanceof Error ? error.message : error}`)
  })

  const employees = httpProfiles({ url: personnel.url, token: personnel.token, read: readEmployee, deadline: 1000 })
  const app = createCanteen({
    database,
    backends,
    temps: agencyTemps,
    employees,
    onUnavailable,
    keys: [randomBytes(32)],
  })
  app.silent = true
  const { origin } = await listen(owner, app.callback())
  const moved = JSON.stringify({ ...EMPLOYEES.ada, department: 'Control room' })
  const look = `curl --silent --cookie cookies ${origin}`
  return `The canteen is at ${origin}/
The personnel department's service is on port ${personnel.server.port} (pid ${personnel.server.pid}).

Who can log in, and the password:
${Object.entries(PEOPLE)
  .map(([name, password]) => `  ${name}  ${password}`)
  .join('\n')}

Log in as Ada, who is an employee, and look at the menu at her prices:
  curl --silent --cookie-jar cookies --data-urlencode 'username=ada' --data-urlencode 'password=${PEOPLE.ada}' ${origin}/login
  ${look}/menu.txt
Have the personnel department move her, and look again:
  curl --silent --request PUT --header 'Authorization: Bearer ${personnel.writeToken}' --header 'Content-Type: application/json' --data '${moved}' '${personnel.addressOf(keys.get('ada')!)}'
  ${look}/menu.txt
Freeze the service, and look at the menu, and at a page for employees. The answer comes within a second.
  kill -STOP ${personnel.server.pid}
  ${look}/menu.txt
  ${look}/entry
Let it go on:
  kill -CONT ${personnel.server.pid}

Ctrl-C ends it, the service included.`
}

await demonstrate(start)
