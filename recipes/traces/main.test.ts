import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)

test('It starts with its Redis, writes the spans of what it says to try, and Ctrl-C ends all of it.', async t => {
  const { said, commands, lines, shell, end } = await demonstrated(t, main)
  const [login, count, stop, look, resume] = commands as [string, string, string, string, string]
  /** Reads up to the end of the span of a request. */
  const written = async (name: string) => {
    let text = ''
    while (!text.includes(`name: '${name}'`)) text += `${(await lines.next()).value}\n`
    return text
  }

  await shell(login)
  t.regex(await written('POST /login'), /name: 'authenticate people'[\s\S]*name: 'session create'/)
  t.is(await shell(count), '1\n')
  t.regex(await written('POST /visits/:page'), /name: 'session replace'/)
  await shell(stop)
  t.regex(await shell(look), /unavailable/)
  t.regex(await written('GET'), /name: 'session read'[\s\S]*SESSION_STORE_UNAVAILABLE/)
  await shell(resume)
  t.deepEqual(await end(), [0, null])
  const pid = Number(/pid (\d+)/.exec(said)![1])
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
