import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)
// The processes share the machine with all other tests.
process.env.DEADLINE = '30000'

test('It starts with its Apache, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  const { said, commands, shell, complaints, end } = await demonstrated(t, main)
  t.is(commands.length, 10, said + complaints())
  const [login, look, again, claim, drafts, past, feed, digest, kill, after] = commands as string[]

  await shell(login!)
  const makers = [await shell(look!), await shell(again!)].map(text => {
    t.regex(text, /ada, your berth is kept/)
    return /Made by process (\d)/.exec(text)?.[1]
  })
  t.deepEqual(makers.sort(), ['1', '2'])
  t.regex(await shell(claim!), /^HTTP\/1\.1 401 /)
  t.regex(await shell(drafts!), /Logged in as <bdi>grace<\/bdi>[\s\S]*Dredging/)
  t.regex(await shell(past!), /^HTTP\/1\.1 401 [\s\S]*Please log in first/)
  const address = /at (https:\S+)/.exec(said)![1]!
  for (const text of [await shell(feed!), await shell(digest!)]) t.true(text.includes(`${address}notices/2`))
  await shell(kill!)
  t.regex(await shell(after!), /ada, your berth is kept/)

  t.deepEqual(await end(), [0, null])
  t.is(complaints(), '')
  for (const [, pid] of said.matchAll(/pid (\d+)/g)) t.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' })
})
