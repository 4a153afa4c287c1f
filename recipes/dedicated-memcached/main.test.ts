import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)
const main = fileURLToPath(new URL('main.ts', import.meta.url))

test('It starts with its memcacheds, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  await run('curl', ['--version']).catch(() => {
    throw new Error('This test runs curl. On Debian, as root: apt-get install --yes curl')
  })
  const cwd = await mkdtemp(join(tmpdir(), 'dedicated-memcached-'))
  t.teardown(() => rm(cwd, { recursive: true, force: true }))
  const child = spawn(process.execPath, ['--conditions=koa-strata:source', main], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exit
  })
  let said = ''
  for await (const line of createInterface(child.stdout)) {
    said += `${line}\n`
    if (line.includes('Ctrl-C')) break
  }
  const commands = said.match(/^ {2}(?:curl|printf) .*$/gm)!.map(line => line.trim())
  t.is(commands.length, 4, said)
  const [login, look, flushCache, flushSessions] = commands as [string, string, string, string]
  const shell = async (command: string) => (await run('sh', ['-c', command], { cwd })).stdout
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

  child.kill('SIGINT')
  t.deepEqual(await exit, [0, null])
  const pids = [...said.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
  t.is(pids.length, 2)
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
