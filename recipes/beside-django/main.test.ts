import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)

test('It starts with Django and nginx, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  const { said, commands, shell, complaints, end } = await demonstrated(t, main)
  t.is(commands.length, 10, said + complaints())
  const answers: string[] = []
  for (const command of commands) answers.push(await shell(command))
  const [, , feed, , refused, nobody, , greeting, , unread] = answers
  t.regex(feed!, /<title>Openings for ada<\/title>/)
  t.regex(refused!, /^HTTP\/1\.1 401 /)
  t.regex(nobody!, /They are for members/)
  t.regex(greeting!, /<bdi>ada<\/bdi>/)
  t.regex(unread!, /^3 unread articles$/m)

  t.deepEqual(await end(), [0, null])
  t.is(complaints(), '')
  const pids = [...said.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
  t.is(pids.length, 2)
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
