import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { createApp } from './app.ts'

/** In milliseconds: one that a busy machine keeps too. */
const DEADLINE = 30_000
const KEY = 'k'.repeat(32)
const ADA = { username: 'ada', password: 'ada-demo' }

interface Running {
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  /** The next line that it prints and that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray>
}

/** Starts a program of this recipe until the test is over. */
function start(t: ExecutionContext, program: string, directory: string, port = 0): Running {
  const child = spawn(
    process.execPath,
    ['--conditions=koa-strata:source', fileURLToPath(new URL(program, import.meta.url))],
    {
      env: { ...process.env, PORT: String(port), DIRECTORY: directory, SESSION_KEYS: KEY, DEADLINE: String(DEADLINE) },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  t.teardown(async () => {
    child.kill(program === 'main.ts' ? 'SIGINT' : 'SIGKILL')
    await exited
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    child,
    exited,
    async line(pattern) {
      for (;;) {
        const { value, done } = await lines.next()
        if (done) throw new Error(`It ended before it printed ${pattern}.`)
        const found = pattern.exec(value)
        if (found) return found
      }
    },
  }
}

async function startServer(t: ExecutionContext, directory: string, port = 0): Promise<{ origin: string } & Running> {
  const running = start(t, 'server.ts', directory, port)
  const [origin] = await running.line(/http:\/\/127\.0\.0\.1:\d+/)
  return { origin, ...running }
}

async function newDirectory(t: ExecutionContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'session-files-'))
  t.teardown(() => rm(parent, { recursive: true, force: true }))
  return join(parent, 'sessions')
}

/** A browser: its cookie goes to every process. */
class Browser {
  cookie = ''

  async page(origin: string): Promise<string> {
    return (await this.#send(`${origin}/`)).text()
  }

  async post(origin: string, path: string, fields: Record<string, string> = {}): Promise<number> {
    const body = new URLSearchParams(fields)
    return (await this.#send(origin + path, { method: 'POST', body, headers: { origin } })).status
  }

  async #send(
    url: string,
    { headers, ...init }: { headers?: Record<string, string> } & RequestInit = {},
  ): Promise<Response> {
    const cookie: Record<string, string> = this.cookie ? { cookie: this.cookie } : {}
    const response = await fetch(url, { redirect: 'manual', ...init, headers: { ...headers, ...cookie } })
    const [line] = response.headers.getSetCookie()
    if (line) this.cookie = line.split(';', 1)[0]!
    return response
  }
}

test('The app is one that can be imported, and refuses what it does not know.', async t => {
  const directory = await newDirectory(t)
  const server = createApp({ directory, keys: [KEY], deadline: DEADLINE }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const [origin, browser] = [`http://127.0.0.1:${port}`, new Browser()]
  t.is(await browser.post(origin, '/login', { ...ADA, password: 'wrong' }), 401)
  t.is(await browser.post(origin, '/count'), 401)
  t.regex(await browser.page(origin), /<button>Log in</)
  t.is(await browser.post(origin, '/login', ADA), 303)
  t.is(await browser.post(origin, '/count'), 303)
  t.regex(await browser.page(origin), /ada has counted to <output>1</)
  t.is((await stat(directory)).mode & 0o777, 0o700)
})

test('Logged in on one process is logged in on the other, and logged out on one is logged out on the other.', async t => {
  const directory = await newDirectory(t)
  const [one, other] = await Promise.all([startServer(t, directory), startServer(t, directory)])
  const browser = new Browser()
  await browser.post(one.origin, '/login', ADA)
  t.regex(await browser.page(other.origin), /ada has counted to/)
  const stolen = Object.assign(new Browser(), { cookie: browser.cookie })
  await browser.post(other.origin, '/logout')
  for (const { origin } of [one, other]) t.regex(await stolen.page(origin), /<button>Log in</)
})

test('Both processes count at once, and no count is lost.', async t => {
  const directory = await newDirectory(t)
  const servers = await Promise.all([startServer(t, directory), startServer(t, directory)])
  const browser = new Browser()
  await browser.post(servers[0].origin, '/login', ADA)
  const counts = Array.from({ length: 100 }, (_, index) => browser.post(servers[index % 2]!.origin, '/count'))
  t.deepEqual(new Set(await Promise.all(counts)), new Set([303]))
  t.regex(await browser.page(servers[1].origin), /counted to <output>100</)
})

test('A process that is killed loses nothing that it has acknowledged, and leaves the other in peace.', async t => {
  const directory = await newDirectory(t)
  const [victim, other] = await Promise.all([startServer(t, directory), startServer(t, directory)])
  const browser = new Browser()
  await browser.post(victim.origin, '/login', ADA)
  let [sent, acknowledged] = [0, 0]
  const countOn = async (origin: string) => {
    for (let count = 0; count < 50; count++) {
      sent++
      if ((await browser.post(origin, '/count')) === 303) acknowledged++
      if (origin === victim.origin && count === 10) victim.child.kill('SIGKILL')
    }
  }
  await Promise.all([t.throwsAsync(countOn(victim.origin)), countOn(other.origin)])
  const counted = async (origin: string) => Number(/counted to <output>(\d+)</.exec(await browser.page(origin))?.[1])
  const count = await counted(other.origin)
  t.true(
    acknowledged > 50 && count >= acknowledged && count <= sent,
    `${acknowledged} acknowledged, ${count} counted, ${sent} sent`,
  )
  const again = await startServer(t, directory)
  t.is(await counted(again.origin), count)
})

test('main.ts starts two processes, starts one that was killed again, and ends both on SIGINT.', async t => {
  const main = start(t, 'main.ts', await newDirectory(t))
  const listens = /Process (\d+) listens on (http:\/\/127\.0\.0\.1:\d+)/
  const [one, other] = [await main.line(listens), await main.line(listens)]
  const browser = new Browser()
  await browser.post(one[2]!, '/login', ADA)
  process.kill(Number(one[1]), 'SIGKILL')
  await main.line(new RegExp(`Process ${one[1]} has ended with SIGKILL`))
  const again = await main.line(listens)
  for (const [, , origin] of [other, again]) t.regex(await browser.page(origin!), /ada has counted to/)
  main.child.kill('SIGINT')
  t.is(await main.exited, 0)
  for (const [, pid] of [other, again]) t.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' })
})
