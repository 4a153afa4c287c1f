import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { demonstrated } from '../demonstrated.ts'
import { PEOPLE } from './example.ts'

const main = new URL('main.ts', import.meta.url)

test('It starts all of it; whatever is killed, you stay logged in; a new password ends the other sessions; and Ctrl-C ends all of it.', async t => {
  const { said, commands, shell, end } = await demonstrated(t, main)
  const [login, row, look, killApp, killMaster, killNode, password] = commands as [string, ...string[]]
  t.is(commands.length, 7, said)
  const viewer = /Logged in as ada\. Boat: boat of ada\. Laps since then: (\d+)/
  const untilServed = async () => {
    while (!viewer.test(await shell(look!))) await wait(100)
  }

  await shell(login!)
  await shell(`cp cookies other-cookies && ${login!.replace('cookies', 'other-cookies')}`)
  const other = look!.replace('cookies', 'other-cookies')
  await shell(row!)
  t.regex(await shell(look!), viewer)
  t.regex(await shell(other), viewer)
  for (const kill of [killApp, killMaster, killNode]) {
    await shell(kill!)
    await untilServed()
  }
  t.is(viewer.exec(await shell(look!))?.[1], '1')
  // A part may still be out, and then nobody knows whether what was refused was done: the one password is right, or the other.
  const withOld = async () => /Redirecting/.test(await shell(password!))
  const withNew = async () => /Redirecting/.test(await shell(login!.replace(PEOPLE.ada!, 'another-password-of-ada')))
  while (!(await withOld()) && !(await withNew())) await wait(100)
  await untilServed()
  t.notRegex(await shell(other), viewer)

  t.deepEqual(await end(), [0, null])
  const pids = [...said.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
  t.is(pids.length, 12)
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
