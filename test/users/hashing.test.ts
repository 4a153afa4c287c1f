import { pbkdf2 as nodePbkdf2 } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { startUsersApp } from './app.ts'
import { watchHashing } from './hashing-calls.ts'

// Not watched: the control fills libuv's threads with it.
const pbkdf2 = promisify(nodePbkdf2)
const calls = watchHashing()
const { hashPassword, verifyPassword } = await import('../../lib/users/passwords.ts')

const LOGINS = 50
/** Some 20 ms each. */
const ROUNDS = 60_000
const HASH = `pbkdf2_sha256$${ROUNDS}$salt$${'A'.repeat(43)}=`

test.serial(
  'W3: hashing and verifying, by whichever algorithm, share the few places that the process has, and the order.',
  async t => {
    const key = 'A'.repeat(43)
    const kinds = {
      'argon2 verify': ['$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA', null, 'unknown'],
      'bcrypt verify': ['$2b$05$abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve'],
      scrypt: [`$scrypt$ln=10,r=8,p=1$c2FsdA$${key}`, `scrypt$1024$salt$8$1$${key}=`],
      pbkdf2: [`$pbkdf2-sha512$i=1000$c2FsdA$${key}`, `pbkdf2_sha1$1000$salt$${'A'.repeat(27)}=`],
    }
    const expected: string[] = []
    const running: Promise<unknown>[] = []
    for (let round = 0; round < 8; round++) {
      for (const [kind, hashes] of Object.entries(kinds)) {
        const hash = hashes[round % hashes.length]!
        running.push(verifyPassword('correct horse battery staple', hash))
        expected.push(kind)
      }
      running.push(hashPassword('correct horse battery staple'))
      expected.push('argon2 hash')
    }
    await Promise.all(running)
    const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4)
    t.is(calls.most, Math.max(1, Math.min(availableParallelism() - 1, threads - 2)))
    t.is(calls.inFlight, 0)
    t.deepEqual(calls.started, expected)
  },
)

/** Has 50 requests check a password at once, and says how many were answered when a file and another route were, which were asked for after them. */
async function overtakes(t: ExecutionContext, verify: (password: string) => Promise<boolean>) {
  const allWait = Promise.withResolvers<void>()
  let waiting = 0
  const file = fileURLToPath(import.meta.url)
  const { browser } = await startUsersApp(t, {
    handlers: {
      '/check': async () => {
        const right = verify('wrong')
        if (++waiting === LOGINS) allWait.resolve()
        return (await right) ? 'right' : 'wrong'
      },
      '/file': () => readFile(file, 'utf8'),
    },
  })
  let answered = 0
  const logins = Array.from({ length: LOGINS }, async () => {
    const { text } = await browser().get('/check')
    answered++
    return text
  })
  await allWait.promise
  const orders = { file: LOGINS, route: LOGINS }
  const overtaking = [
    browser()
      .get('/file')
      .then(({ status }) => {
        orders.file = answered
        return status
      }),
    browser()
      .get('/ping')
      .then(({ status }) => {
        orders.route = answered
        return status
      }),
  ]
  t.deepEqual(new Set(await Promise.all(logins)), new Set(['wrong']))
  t.deepEqual(await Promise.all(overtaking), [200, 200])
  return orders
}

test.serial('W3: while 50 logins wait, a file and another route are answered before most of them.', async t => {
  const orders = await overtakes(t, password => verifyPassword(password, HASH))
  t.true(orders.file < LOGINS / 2, `the file was answered after ${orders.file} logins`)
  t.true(orders.route < LOGINS / 2, `the route was answered after ${orders.route} logins`)
})

test.serial('W3: without the queue the file waits behind most of the logins, so the test above can fail.', async t => {
  const orders = await overtakes(t, async password => {
    await pbkdf2(password, 'salt', ROUNDS, 32, 'sha256')
    return false
  })
  t.true(orders.file > LOGINS / 2, `the file was answered after ${orders.file} logins`)
})
