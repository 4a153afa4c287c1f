import { once } from 'node:events'
import http from 'node:http'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { type Site, startSite } from './site.ts'
import { type Seen, Visitor } from './test-visitor.ts'

/** In milliseconds: one that a busy machine keeps too. */
const DEADLINE = 30_000

// One site for all, which are tried one after the other: each leaves two processes behind that answer.
const test = anyTest as TestFn<Site>
const ends: (() => unknown)[] = []
test.before(async t => {
  t.context = await startSite({ teardown: end => ends.unshift(end) }, { deadline: DEADLINE, log() {} })
})
test.after.always(async () => {
  for (const end of ends) await end()
})

type Scheme = 'http' | 'https'

function visitor(t: ExecutionContext<Site>, scheme?: Scheme): Visitor {
  const made = new Visitor(t.context, scheme)
  t.teardown(() => made.leave())
  return made
}

async function swimmer(t: ExecutionContext<Site>, username: string, scheme?: Scheme): Promise<Visitor> {
  const made = visitor(t, scheme)
  t.is((await made.logIn(username)).status, 303)
  return made
}

/** The process that has answered, as 'one 4711'. */
const processOf = ({ headers }: Seen) => String(headers['x-process'])
const nameOf = (seen: Seen) => processOf(seen).split(' ')[0]
const namesOf = (answers: readonly Seen[]) => [...new Set(answers.map(nameOf))].sort()
const statusesOf = (answers: readonly Seen[]) => answers.map(({ status }) => status).sort()

/** Waits until HAProxy asks all processes, as they are now. */
async function allAsked(t: ExecutionContext<Site>): Promise<void> {
  const looking = visitor(t)
  const missing = new Set(t.context.processes.map(({ pid }) => String(pid)))
  while (missing.size > 0) missing.delete(processOf(await looking.get('/')).split(' ')[1]!)
}

test.serial(
  'People are logged in at both processes, over https and http, and a logout at one holds at the other.',
  async t => {
    for (const scheme of ['https', 'http'] as const) {
      const ada = await swimmer(t, 'ada', scheme)
      const posts = await Promise.all(Array.from({ length: 8 }, () => ada.post('/lengths')))
      t.deepEqual(statusesOf(posts), Array(8).fill(303))
      t.deepEqual(namesOf(posts), ['one', 'two'])
      t.is(await ada.lengths(), 8)
      const { cookie } = ada
      await ada.post('/logout')
      ada.cookie = cookie
      for (let look = 0; look < 4; look++) t.is(await ada.lengths(), null)
    }
  },
)

test.serial('X2: the app knows who asks and how, whatever a client says, and names one address.', async t => {
  const lies = {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-proto': 'gopher',
    'x-forwarded-host': 'evil.example',
    forwarded: 'for=203.0.113.9;host=evil.example',
  }
  for (const scheme of ['https', 'http'] as const) {
    const stranger = visitor(t, scheme)
    for (const headers of [{}, lies]) {
      const { text } = await stranger.get('/', headers)
      t.true(text.includes(`You are at 127.0.0.1 and ask over ${scheme}. Tell others: ${t.context.https}/<`), text)
    }
    t.is((await stranger.get('/', { host: 'evil.example' })).status, 421)
    t.is((await stranger.get('/', { host: 'evil.example/x' })).status, 400)
  }
})

test.serial(
  'X1: HAProxy asks the staff who they are, the app believes HAProxy alone, and swimmers stay logged in.',
  async t => {
    const ada = await swimmer(t, 'ada')
    const claim = { 'x-remote-user': 'mallory' }
    for (const path of ['/staff', '/STAFF/']) {
      const { status, headers } = await ada.get(path, claim)
      t.is(status, 401, path)
      t.is(headers['www-authenticate'], 'Basic realm="Staff"', path)
    }
    t.is((await ada.get('//staff', claim)).status, 404)
    const proof = { authorization: `Basic ${btoa('grace:grace-demo')}` }
    t.regex((await ada.get('/staff', { ...claim, ...proof })).text, /Hello grace\./)
    t.is(await ada.lengths(), 0)

    const { processes, https } = t.context
    const pastHaproxy = async (localAddress: string) => {
      const headers = { ...claim, host: new URL(https).host }
      const options = { host: '127.0.0.1', port: processes[0]!.port, path: '/staff', localAddress, headers }
      const [response] = (await once(http.get(options), 'response')) as [http.IncomingMessage]
      return response.resume().statusCode
    }
    t.is(await pastHaproxy('127.0.0.2'), 401)
    t.is(await pastHaproxy('127.0.0.1'), 200, 'the control')
  },
)

test.serial(
  'Both processes are restarted, one after the other, under load: no request fails, and nobody is logged out.',
  async t => {
    const names = ['ada', 'noor', 'ada', 'noor', 'ada', 'noor']
    const people = await Promise.all(names.map((name, index) => swimmer(t, name, index % 2 ? 'http' : 'https')))
    let [isOver, requests] = [false, 0]
    const swim = async (person: Visitor) => {
      for (let lengths = 1; !isOver; lengths++) {
        const { status } = await person.post('/lengths')
        // Exactly as many as were answered: none is lost, and none done twice.
        const counted = await person.lengths()
        if (status !== 303 || counted !== lengths) throw new Error(`${status}, ${counted} after ${lengths}`)
        requests += 2
      }
    }
    const swimming = Promise.all(people.map(swim))
    const restarting = (async () => {
      for (const one of t.context.processes) {
        const { pid } = one
        await one.replace('SIGTERM')
        t.not(one.pid, pid)
        await allAsked(t)
      }
      isOver = true
    })()
    await t.notThrowsAsync(Promise.all([swimming, restarting]))
    t.log(`${requests} requests`)
  },
)

test.serial('A process that ends finishes what it has begun, while the other one answers the rest.', async t => {
  const ada = await swimmer(t, 'ada')
  const halves = await Promise.all(Array.from({ length: 4 }, () => ada.half()))
  let isReplaced = false
  const replaced = t.context.processes[0]!.replace('SIGTERM').then(() => {
    isReplaced = true
  })
  // It says that it ends, and HAProxy passes it by.
  let alone = 0
  while (alone < 6) alone = nameOf(await ada.get('/')) === 'two' ? alone + 1 : 0
  t.false(isReplaced)
  const finished = await Promise.all(halves.map(half => half.finish()))
  t.deepEqual(statusesOf(finished), [303, 303, 303, 303])
  t.deepEqual(namesOf(finished), ['one', 'two'])
  await replaced
  t.is(await ada.lengths(), 4)
  await allAsked(t)
})

test.serial(
  'The control: a process that is killed fails what it has begun, and that is not done again elsewhere.',
  async t => {
    const ada = await swimmer(t, 'ada')
    const halves = await Promise.all(Array.from({ length: 4 }, () => ada.half()))
    await t.context.processes[0]!.replace('SIGKILL')
    const finished = await Promise.all(halves.map(half => half.finish()))
    t.deepEqual(statusesOf(finished), [303, 303, 502, 502])
    t.deepEqual(namesOf(finished.filter(({ status }) => status === 303)), ['two'])
    t.is(await ada.lengths(), 2)
    await allAsked(t)
  },
)
