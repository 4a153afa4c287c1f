import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { Attribute, Change, Client } from 'ldapts'

const run = promisify(execFile)
const main = fileURLToPath(new URL('main.ts', import.meta.url))

/** What ldapmodify would do with the line that is printed for it. */
async function modify(line: string): Promise<void> {
  const said = (pattern: RegExp) => pattern.exec(line)![1]!
  const client = new Client({ url: said(/-H (\S+)/) })
  const change = new Change({
    operation: 'delete',
    modification: new Attribute({ type: said(/delete: (\w+)\\n/), values: [said(/\\nmember: ([^\\]+)\\n/)] }),
  })
  try {
    await client.bind(said(/-D (\S+)/), said(/-w (\S+)/))
    await client.modify(said(/dn: ([^\\]+)\\n/), change)
  } finally {
    await client.unbind()
  }
}

test('It starts with its slapd, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  await run('curl', ['--version']).catch(() => {
    throw new Error('This test runs curl. On Debian, as root: apt-get install --yes curl')
  })
  const cwd = await mkdtemp(join(tmpdir(), 'ldap-users-'))
  t.teardown(() => rm(cwd, { recursive: true, force: true }))
  const child = spawn(process.execPath, ['--conditions=koa-strata:source', main], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exit
  })
  let complaints = ''
  child.stderr.on('data', data => {
    complaints += data
  })
  let said = ''
  for await (const line of createInterface(child.stdout)) {
    said += `${line}\n`
    if (line.includes('Ctrl-C')) break
  }
  const commands = said.match(/^ {2}(?:curl|printf|kill) .*$/gm)!.map(line => line.trim())
  t.is(commands.length, 7, said + complaints)
  const [login, look, change, freeze, loginAsIda, lookAsIda, goOn] = commands as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const shell = async (command: string) => (await run('sh', ['-c', command], { cwd })).stdout

  await shell(login)
  t.regex(await shell(look), /<h1>Rota<\/h1>/)
  t.regex(change, /\| ldapmodify -x /)
  await modify(change)
  t.regex(await shell(look), /<h1>Not for you<\/h1>/)
  await shell(freeze)
  t.regex(await shell(look), /<h1>One moment, please<\/h1>/)
  await shell(loginAsIda)
  t.regex(await shell(lookAsIda), /<h1>Rota<\/h1>/)
  await shell(goOn)
  t.regex(await shell(look), /<h1>Not for you<\/h1>/)

  child.kill('SIGINT')
  t.deepEqual(await exit, [0, null])
  t.is(complaints, 'ldap: The directory did not answer within 2000 ms.\n')
  const pid = Number(/pid (\d+)/.exec(said)![1])
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
