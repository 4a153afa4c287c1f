/** Starts the rota with a slapd for its people: `npm run recipe -- ldap-users`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import knexFactory from 'knex'
import type { StrataEvents } from 'koa-strata'
import { migrate, sqlUsers } from 'koa-strata/sql'
import { type Demonstration, demonstrate, listen } from '../demonstration.ts'
import { createRota } from './app.ts'
import { Directory } from './directory.ts'
import { exampleDirectory, PEOPLE, startDirectory } from './example.ts'

const IDA = { username: 'ida', password: 'lamp of the north 5' }

async function start(owner: Demonstration): Promise<string> {
  const { server: slapd, administrator } = await startDirectory(owner)
  const directory = new Directory(exampleDirectory(slapd.url))
  owner.teardown(() => directory.close())
  const database = knexFactory({
    client: 'better-sqlite3',
    connection: ':memory:',
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  })
  owner.teardown(() => database.destroy())
  await migrate(database)
  const accounts = sqlUsers(database)
  const { id } = await accounts.create(IDA)
  await accounts.grant(id, 'rota.read')
  subscribe('koa-strata:backend-error', message => {
    const { backend, error } = message as StrataEvents['koa-strata:backend-error']
    console.error(`${backend}: ${error instanceof Error ? error.message : error}`)
  })

  const app = createRota({ database, directory, keys: [randomBytes(32)] })
  app.silent = true
  const { origin } = await listen(owner, app.callback())
  const modify = `ldapmodify -x -H ${slapd.url} -D ${administrator.dn} -w ${administrator.password}`
  const people = { ...PEOPLE, [IDA.username]: `${IDA.password}  (has a record here)` }
  return `The rota is at ${origin}/
Its people are in the slapd on port ${slapd.port} (pid ${slapd.pid}).

Who can log in, and the password:
${Object.entries(people)
  .map(([name, password]) => `  ${name.padEnd(5)}  ${password}`)
  .join('\n')}

Log in as Grace, and look:
  curl --silent --cookie-jar cookies --data-urlencode 'username=grace' --data-urlencode 'password=${PEOPLE.grace}' ${origin}/login
  curl --silent --cookie cookies ${origin}/rota
Take her out of the group, and look again: the page is not for her any more. ldapmodify is in Debian's package ldap-utils.
  printf 'dn: cn=rota-readers,ou=groups,dc=example,dc=org\\ndelete: member\\nmember: uid=grace,ou=people,dc=example,dc=org\\n' | ${modify}
Freeze the directory, and look again: 503 within two seconds. Ida logs in all the same.
  kill -STOP ${slapd.pid}
  curl --silent --cookie-jar ida --data-urlencode 'username=ida' --data-urlencode 'password=${IDA.password}' ${origin}/login
  curl --silent --cookie ida ${origin}/rota
Let it go on:
  kill -CONT ${slapd.pid}

Ctrl-C ends it, slapd included.`
}

await demonstrate(start)
