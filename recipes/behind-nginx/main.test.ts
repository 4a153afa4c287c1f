import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

// In milliseconds: one that a busy machine keeps too.
process.env.DEADLINE = '30000'
const main = new URL('main.ts', import.meta.url)

test('It starts with its nginx, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  const { said, commands, shell, complaints, end } = await demonstrated(t, main)
  t.is(commands.length, 13, said + complaints())
  const answers: string[] = []
  for (const command of commands) answers.push(await shell(command))
  const [nobody, plain, , document, archive, pretended, elsewhere, auth, staff, , alone, , down] = answers
  t.regex(nobody!, /^HTTP\/1\.1 303 [\s\S]*^Location: \/login\?next=%2Fdocuments%2Fspring-concert\.txt\r$/im)
  t.regex(plain!, /^HTTP\/1\.1 308 [\s\S]*^Location: https:\/\/127\.0\.0\.1:\d+\/documents\/spring-concert\.txt\r$/im)
  for (const read of [document!, alone!]) t.regex(read, /The altos bring cake/)
  for (const told of [archive, pretended]) t.is(told, 'ines is in the archive. Their cookie: not told.\n')
  t.regex(elsewhere!, /for 127\.0\.0\.1, who asks over https/)
  t.regex(auth!, /^HTTP\/1\.1 404 /)
  t.regex(staff!, /Hello <bdi>joan</)
  t.regex(down!, /^HTTP\/1\.1 500 /)
  t.notRegex(down!, /altos/)

  t.deepEqual(await end(), [0, null])
  t.is(complaints(), '')
  const pids = [...said.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
  t.is(pids.length, 3)
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
