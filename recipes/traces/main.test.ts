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

test('It starts with its Redis, writes the spans of what it says to try, and Ctrl-C ends all of it.', async t => {
  const cwd = await mkdtemp(join(tmpdir(), 'traces-'))
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
  const [login, count, stop, look, resume] = commands as [string, string, string, string, string]
  /** Reads up to the end of the span of a request. */
  const written = async (name: string) => {
    let text = ''
    while (!text.includes(`name: '${name}'`)) text += `${(await lines.next()).value}\n`
    return text
  }
  const shell = async (command: string) => (await run('sh', ['-c', command], { cwd })).stdout

  await shell(login)
  t.regex(await written('POST /login'), /name: 'authenticate people'[\s\S]*name: 'session create'/)
  t.is(await shell(count), '1\n')
  t.regex(await written('POST /visits/:page'), /name: 'session replace'/)
  await shell(stop)
  t.regex(await shell(look), /unavailable/)
  t.regex(await written('GET'), /name: 'session read'[\s\S]*SESSION_STORE_UNAVAILABLE/)
  await shell(resume)
  child.kill('SIGINT')
  t.deepEqual(await exit, [0, null])
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
