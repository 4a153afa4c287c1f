import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import test, { type ExecutionContext } from 'ava'
import { sqlUsers } from 'koa-strata/sql'
import { migratedSqlite } from '../database/sqlite.ts'
import { nextMessage } from '../next-message.ts'
import { basic } from './people.ts'

/** Snapshots escape what is not ASCII. */
const PASSWORD = 'a password of nobody else'

/** Whatever of somebody's credentials would let others find out the password. */
function tracesOf(username: string, password: string): string[] {
  const texts = [password, `${username}:${password}`, `${username}${password}`, JSON.stringify([username, password])]
  const digests = texts.flatMap(text =>
    ['md5', 'sha1', 'sha256', 'sha512'].flatMap(algorithm =>
      (['hex', 'base64', 'base64url'] as const).map(as => createHash(algorithm).update(text).digest(as)),
    ),
  )
  const encoded = texts.flatMap(text =>
    (['hex', 'base64', 'base64url'] as const).map(as => Buffer.from(text).toString(as)),
  )
  return [...texts, ...digests, ...encoded]
}

/** What is found of a password in the memory of a process that remembers it for polls. */
async function found(t: ExecutionContext, keeps: boolean): Promise<string[]> {
  const knex = await migratedSqlite(t)
  await sqlUsers(knex).create({ username: 'ada', password: PASSWORD })
  const { filename } = knex.client.config.connection
  const child = fork(new URL('remembering-process.ts', import.meta.url), [filename, String(keeps)], {
    execArgv: ['--conditions=koa-strata:source'],
  })
  t.teardown(() => child.kill())
  const port = await nextMessage<number>(child)
  const poll = async (username: string, password: string) => {
    const headers = { authorization: basic(username, password), connection: 'close' }
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers })
    await response.text()
    return response.status
  }
  for (let time = 0; time < 3; time++) t.is(await poll('ada', PASSWORD), 200)
  // What the last request and the last statements hold is given away.
  for (let time = 0; time < 20; time++) t.is(await poll('eve', 'wrong'), 401)
  const written = nextMessage<string>(child)
  child.send(`${filename}.heapsnapshot`)
  const snapshot = await readFile(await written, 'utf8')
  t.true(snapshot.includes('VerifiedCredentials'))
  return tracesOf('ada', PASSWORD).filter(trace => snapshot.includes(JSON.stringify(trace).slice(1, -1)))
}

test('B4: neither a password that is remembered nor a plain hash or encoding of it is in the memory of the process.', async t => {
  t.deepEqual(await found(t, false), [])
})

test('B4: In the memory of a process that keeps credentials they are found, so the test above can fail.', async t => {
  t.true((await found(t, true)).includes(`ada:${PASSWORD}`))
})
