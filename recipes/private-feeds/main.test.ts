import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)

test('It starts with its nginx, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  const { said, commands, shell, complaints, end } = await demonstrated(t, main)
  t.is(commands.length, 7, said + complaints())
  const [everybody, nobody, somebody, login, make, read, search] = commands as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ]

  t.regex(await shell(everybody), /^X-Cache: MISS\r$/m)
  t.regex(await shell(everybody), /^X-Cache: HIT\r$/m)
  t.regex(await shell(nobody), /^HTTP\/1\.1 401 /)
  t.regex(await shell(somebody), /<title>Tools lent to ines<\/title>/)
  await shell(login)
  t.regex(await shell(make), /^feed_[\w-]{43}\n$/)
  t.regex(await shell(read), /<title>Tools lent to ines<\/title>/)
  t.is(await shell(search), '0\n')

  t.deepEqual(await end(), [0, null])
  t.is(complaints(), '')
  const pid = Number(/pid (\d+)/.exec(said)![1])
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
