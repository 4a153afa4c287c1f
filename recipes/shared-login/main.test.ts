import test from 'ava'
import { demonstrated } from '../demonstrated.ts'
import { DEADLINE } from './test-organisation.ts'

const main = new URL('main.ts', import.meta.url)

process.env.DEADLINE = String(DEADLINE)

test('It starts both in processes of their own, what it says to try does what it says, and Ctrl-C ends both.', async t => {
  const { said, commands, shell, complaints, end } = await demonstrated(t, main)
  t.is(commands.length, 4, said + complaints())
  const [login, look, logout, lookAgain] = commands as [string, string, string, string]
  await shell(login)
  const page = await shell(look)
  t.regex(page, /· Forum<\/title>/)
  t.regex(page, /<bdi>ada<\/bdi>\n<form method="post" action="\/logout">/)
  await shell(logout)
  t.regex(await shell(lookAgain), /· Shop<\/title>.*<a href="\/login">Log in<\/a>/s)
  t.deepEqual(await end(), [0, null])
  t.is(complaints(), '')
  for (const [, origin] of said.matchAll(/ is at (\S+)\//g)) {
    const { port } = new URL(origin!)
    await t.throwsAsync(fetch(`http://127.0.0.1:${port}/`))
  }
})
