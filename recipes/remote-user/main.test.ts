import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)

test('It starts with its Apache, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  const { said, commands, shell, complaints, end } = await demonstrated(t, main)
  t.is(commands.length, 7, said + complaints())
  const [look, again, claim, ledger, other, past, gone] = commands as string[]

  t.regex(await shell(look!), /<bdi>noor<\/bdi>. Looks since then: 1/)
  t.regex(await shell(again!), /<bdi>noor<\/bdi>. Looks since then: 2/)
  t.regex(await shell(claim!), /^HTTP\/1\.1 403 /)
  t.regex(await shell(ledger!), /Boiler room/)
  t.regex(await shell(other!), /<bdi>grace<\/bdi>. Looks since then: 1/)
  t.regex(await shell(past!), /^HTTP\/1\.1 401 /)
  t.regex(await shell(gone!), /^HTTP\/1\.1 401 [\s\S]*Set-Cookie: sid=; Max-Age=0/)

  t.deepEqual(await end(), [0, null])
  t.is(complaints(), '')
  const pid = Number(/pid (\d+)/.exec(said)![1])
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
