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

test('It starts with its Redis, logs what the lines that it prints bring about, and Ctrl-C ends all of it.', async t => {
  const cwd = await mkdtemp(join(tmpdir(), 'event-log-'))
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
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const commands: string[] = []
  let pid = 0
  for (let line = ''; !line.startsWith('Ctrl-C'); line = (await lines.next()).value ?? '') {
    if (/^ {2}(curl|kill)/.test(line)) commands.push(line.trim())
    pid = Number(/pid (\d+)/.exec(line)?.[1] ?? pid)
  }
  t.is(commands.length, 6, commands.join('\n'))
  const logged = async () => {
    for (;;) {
      const { value = '{}' } = await lines.next()
      if (value.startsWith('{')) return JSON.parse(value)
    }
  }
  const shell = (command: string) => run('sh', ['-c', command], { cwd })

  const [login, guess, stop, look, resume, logout] = commands as [string, string, string, string, string, string]
  await shell(login)
  t.like(await logged(), { level: 'info', event: 'login', user: 'people:ada' })
  await shell(guess)
  t.like(await logged(), { level: 'warn', event: 'login-failed' })
  await shell(stop)
  t.regex((await shell(look)).stdout, /unavailable/)
  t.like(await logged(), { level: 'error', event: 'store-error', operation: 'read' })
  await shell(resume)
  await shell(logout)
  t.like(await logged(), { level: 'info', event: 'logout' })
  child.kill('SIGINT')
  t.deepEqual(await exit, [0, null])
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
