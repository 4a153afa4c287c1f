import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)

test('It starts with its memcacheds, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  const { said, commands, shell, end } = await demonstrated(t, main)
  t.is(commands.length, 4, said)
  const [login, look, flushCache, flushSessions] = commands as [string, string, string, string]
  const timetable = (page: string) => /<pre>[^<]+/.exec(page)?.[0]

  await shell(login)
  const first = await shell(look)
  t.regex(first, /Logged in as ada\. Looks since then: 1/)
  t.is(await shell(flushCache), 'OK\r\n')
  const second = await shell(look)
  t.regex(second, /Logged in as ada\. Looks since then: 2/)
  t.not(timetable(second), timetable(first))
  t.is(await shell(flushSessions), 'OK\r\n')
  const third = await shell(look)
  t.regex(third, /action="\/login"/)
  t.is(timetable(third), timetable(second))

  t.deepEqual(await end(), [0, null])
  const pids = [...said.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
  t.is(pids.length, 2)
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
