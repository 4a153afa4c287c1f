import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { xml2js } from 'xml-js'
import { demoAccounts, partnerPeople } from './seed.ts'
import { temporaryDirectory, Visitor } from './test-board.ts'

const run = promisify(execFile)
const main = fileURLToPath(new URL('main.ts', import.meta.url))

interface Started {
  origin: string
  /** What it printed. */
  said: string
  /** Ends it as Ctrl-C does, and answers its exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts what `npm start` starts, on a free port. */
async function start(t: ExecutionContext, file: string, env: Record<string, string> = {}): Promise<Started> {
  const child = spawn(process.execPath, ['--conditions=koa-strata:source', main], {
    env: { ...process.env, PORT: '0', DATABASE_FILE: file, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit') as Promise<[number | null]>
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exit
  })
  let said = ''
  for await (const line of createInterface(child.stdout)) {
    said += `${line}\n`
    if (line.includes('Ctrl-C')) break
  }
  const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]
  if (!origin) throw new Error(`It ended before it listened: ${said}`)
  return {
    origin,
    said,
    async end(signal = 'SIGINT') {
      child.kill(signal)
      return (await exit)[0]
    },
  }
}

test('it starts on a file that it makes, and says where it is and who can log in', async t => {
  const file = join(await temporaryDirectory(t.teardown), 'board.sqlite')
  const { origin, said, end } = await start(t, file)
  t.true(said.includes(`${origin}/`) && said.includes(file))
  for (const { username, password } of [...Object.values(demoAccounts), ...partnerPeople]) {
    t.regex(said, new RegExp(`^  ${username} +${password} `, 'm'))
    await Visitor.loggedIn({ origin }, { username, password })
  }
  t.is((await stat(`${file}.keys`)).mode & 0o777, 0o600)
  t.is(await end(), 0)
})

test('each of the three commands that it prints reads its feed', async t => {
  await run('curl', ['--version']).catch(() => {
    throw new Error('This test runs curl. On Debian, as root: apt-get install --yes curl')
  })
  const { said, end } = await start(t, join(await temporaryDirectory(t.teardown), 'board.sqlite'))
  const commands = said.split('\n').filter(line => line.startsWith('  curl '))
  t.is(commands.length, 3)
  const read = async (command: string) => (await run('sh', ['-c', command])).stdout
  const [atom, json, rss] = [await read(commands[0]!), await read(commands[1]!), await read(commands[2]!)]
  t.regex(atom, /<feed xmlns="http:\/\/www\.w3\.org\/2005\/Atom">/)
  t.regex(atom, /Letterpress printer/)
  t.notThrows(() => xml2js(atom))
  t.true(JSON.parse(json).items.some((item: { title: string }) => item.title.startsWith('Inès Faye applies')))
  t.regex(rss, /<rss version="2\.0"/)
  t.regex(rss, /applied for “Baker, early shift”/)
  t.notThrows(() => xml2js(rss))
  t.is(await end(), 0)
})

test('a restart on the same file keeps logins and everything else, and adds nothing', async t => {
  const file = join(await temporaryDirectory(t.teardown), 'board.sqlite')
  const first = await start(t, file)
  const visitor = await Visitor.loggedIn(first, demoAccounts.marta)
  await visitor.post('/company/openings', { title: 'Miller', place: 'Halle', description: 'Flour.' })
  t.is(await first.end('SIGTERM'), 0)

  const second = await start(t, file)
  const again = new Visitor(second)
  again.cookie = visitor.cookie
  const page = await again.page('/company')
  t.regex(page, /Miller/)
  t.is(page.match(/Baker, early shift/g)?.length, 1)
  t.is(await second.end(), 0)
})

test('keys from the environment sign the sessions, and none are kept', async t => {
  const file = join(await temporaryDirectory(t.teardown), 'board.sqlite')
  const [old, fresh] = ['o'.repeat(32), 'f'.repeat(32)]
  const first = await start(t, file, { SESSION_KEYS: old })
  const visitor = await Visitor.loggedIn(first, demoAccounts.marta)
  t.is(await first.end(), 0)
  await t.throwsAsync(readFile(`${file}.keys`), { code: 'ENOENT' })

  const rotated = await start(t, file, { SESSION_KEYS: `${fresh}, ${old}` })
  const again = new Visitor(rotated)
  again.cookie = visitor.cookie
  t.is((await again.get('/company')).status, 200)
  t.is(await rotated.end(), 0)
})

test('a port that is taken is told in words', async t => {
  const directory = await temporaryDirectory(t.teardown)
  const { origin } = await start(t, join(directory, 'one.sqlite'))
  const env = { ...process.env, PORT: new URL(origin).port, DATABASE_FILE: join(directory, 'two.sqlite') }
  const error = await t.throwsAsync<Error & { stderr: string }>(
    run(process.execPath, ['--conditions=koa-strata:source', main], { env }),
  )
  t.regex(error.stderr, /Something else listens there/)
})
