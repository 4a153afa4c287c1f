import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)

test('It starts with its Redis, logs what the lines that it prints bring about, and Ctrl-C ends all of it.', async t => {
  const { said, commands, lines, shell, end } = await demonstrated(t, main)
  t.is(commands.length, 6, commands.join('\n'))
  const logged = async () => {
    for (;;) {
      const { value = '{}' } = await lines.next()
      if (value.startsWith('{')) return JSON.parse(value)
    }
  }

  const [login, guess, stop, look, resume, logout] = commands as [string, string, string, string, string, string]
  await shell(login)
  t.like(await logged(), { level: 'info', event: 'login', user: 'people:ada' })
  await shell(guess)
  t.like(await logged(), { level: 'warn', event: 'login-failed' })
  await shell(stop)
  t.regex(await shell(look), /unavailable/)
  t.like(await logged(), { level: 'error', event: 'store-error', operation: 'read' })
  await shell(resume)
  await shell(logout)
  t.like(await logged(), { level: 'info', event: 'logout' })
  t.deepEqual(await end(), [0, null])
  const pid = Number(/pid (\d+)/.exec(said)![1])
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
