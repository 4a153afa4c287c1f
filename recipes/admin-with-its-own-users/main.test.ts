import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)

test('It starts with its publisher, what it says to try does what it says, and Ctrl-C ends both.', async t => {
  const { said, commands, shell, complaints, end } = await demonstrated(t, main)
  t.is(commands.length, 9, said + complaints())
  const who = async (command: string) => {
    const page = await shell(command)
    return /<bdi>(.*)<\/bdi>/.exec(page)?.[1] ?? page.trim()
  }
  const nobody = /^(Redirecting to \/admin\/login|<!doctype html>[\s\S]*>Log in<\/a>)/
  const [login, magazine, admin, loginAsGrace, adminAgain, magazineAgain, logout, magazineAtLast, adminAtLast] =
    commands as [string, string, string, string, string, string, string, string, string]
  await shell(login)
  t.is(await who(magazine), 'ines')
  t.regex(await who(admin), nobody)
  await shell(loginAsGrace)
  t.is(await who(adminAgain), 'grace')
  t.is(await who(magazineAgain), 'ines')
  await shell(logout)
  t.regex(await who(magazineAtLast), nobody)
  t.is(await who(adminAtLast), 'grace')

  t.deepEqual(await end(), [0, null])
  t.is(complaints(), '')
})
