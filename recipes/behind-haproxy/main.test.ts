import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)
// The processes share the machine with all other tests.
process.env.DEADLINE = '30000'

test('It starts with its HAProxy, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  const { said, commands, lines, shell, complaints, end } = await demonstrated(t, main)
  t.is(commands.length, 6, said + complaints())
  const [login, count, look, claim, staff, replace] = commands as [string, string, string, string, string, string]

  await shell(login)
  t.regex(await shell(count), /^x-process: (one|two) \d+\r$/m)
  t.regex(await shell(look), /ada has swum <output>1<\/output>/)
  t.regex(await shell(claim), /^HTTP\/2 401 /)
  t.regex(await shell(staff), /Hello grace\./)
  t.regex(await shell(replace), /^ *500 200\n$/)
  t.regex((await lines.next()).value ?? '', /^Process one \(\d+\) has ended with 0; \d+ has its place\.$/)

  t.deepEqual(await end(), [0, null])
  t.is(complaints(), '')
  const pids = [...said.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
  t.is(pids.length, 3)
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
