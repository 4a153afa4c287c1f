import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { type Ask, ask, CLIENT, STRANGER } from './client.ts'
import { PROXIES } from './proxies.ts'
import type { RunningProxy } from './proxy.ts'
import { PROXY } from './site.ts'
import { type Right, SPOOFS, type Spoof } from './spoofs.ts'
import { STAFF, type Stage, startStage } from './stage.ts'

interface Stages extends Stage {
  /** Proxies that pass on whatever user header a client sends. */
  careless: Readonly<Record<string, RunningProxy>>
}

const test = anyTest as TestFn<Stages>
const ends: (() => unknown)[] = []

test.before(async t => {
  const owner = { teardown: (end: () => unknown) => ends.unshift(end) }
  const stage = await startStage(owner, { secure: false })
  const careless = await stage.again((proxy, behind) => proxy.startCareless(owner, behind))
  t.context = { ...stage, careless }
})
test.after.always(async () => {
  for (const end of ends) await end()
})

const LOGIN = `Authorization: Basic ${Buffer.from(`${STAFF.username}:${STAFF.password}`).toString('base64')}`
const NOBODY = { user: '', backend: '' }
const GRACE = { user: 'remote:grace', backend: 'remote' }

/** Sends what a client sends to be taken for somebody else, and answers the status, and what the app has said about the request. */
async function said(t: ExecutionContext<Stages>, address: string, spoof: Spoof, { from = CLIENT, login = '' } = {}) {
  const { lines = [], hosts = [new URL(address).host], connection = 'close', target } = spoof
  const request: Ask = {
    from,
    certificate: t.context.certificate,
    lines: [...hosts.map(host => `Host: ${host}`), `Connection: ${connection}`, ...(login ? [login] : []), ...lines],
    target: target?.(new URL(address).pathname),
  }
  const { status, body } = await ask(address, request)
  return { status, body: status === 200 ? JSON.parse(body) : body }
}

/** Where a client asks from, for what, and who it is. */
interface Cell {
  address: string
  path: string
  from?: string
  isPast?: boolean
  /** What it sends to log in. */
  login?: string
  who?: typeof NOBODY
}

/** What is true about a request. */
function truth({ lines = [], hosts }: Spoof, { address, path, from = CLIENT, isPast = false, who = NOBODY }: Cell) {
  const { protocol: scheme, host: own } = new URL(address)
  const [host = own] = hosts ?? []
  const protocol = scheme.slice(0, -1)
  const sent = (name: string) => lines.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? ''
  return {
    ...who,
    ip: from,
    ips: isPast ? [] : [from],
    protocol,
    secure: protocol === 'https',
    host,
    href: `${protocol}://${host}${path}`,
    // A password that the proxy has asked for stays with it; others are the app's business.
    headers: ['', who === NOBODY ? sent('Authorization') : ''],
  }
}

/** Looks at one cell of the table. */
async function look(t: ExecutionContext<Stages>, spoof: Spoof, right: readonly Right[], cell: Cell) {
  const { status, body } = await said(t, cell.address + cell.path, spoof, cell)
  const where = `${cell.address}${cell.path} from ${cell.from ?? CLIENT}: ${status} ${JSON.stringify(body)}`
  t.true(right.includes(status === 200 ? 'the truth' : (status as Right)), where)
  if (status !== 200) return
  const { pid, ...rest } = body
  t.deepEqual(rest, truth(spoof, cell), where)
}

// One after another: all at once they would be a load that a proxy's health checks suffer from.
for (const spoof of SPOOFS) {
  const { what, lines = [], right = ['the truth'], rightForStaff = right } = spoof
  const login = lines.some(line => line.startsWith('Authorization:')) ? '' : LOGIN

  for (const { name } of PROXIES) {
    test.serial(`X1, X2: behind ${name}, ${what} changes nothing about who asks, from where and for what.`, async t => {
      const addresses = Object.values(t.context.running[name]!)
      await Promise.all(
        addresses.flatMap(address => [
          look(t, spoof, right, { address, path: '/' }),
          look(t, spoof, right, { address, path: '/', from: PROXY }),
          look(t, spoof, rightForStaff, { address, path: '/staff', login, who: GRACE }),
        ]),
      )
    })
  }

  test.serial(`X1, X2: past the proxies, ${what} changes nothing about who asks, from where and for what.`, async t => {
    await Promise.all(
      t.context.site.processes.map(async ({ port }) => {
        const past = { address: `http://127.0.0.1:${port}`, from: STRANGER, isPast: true }
        await look(t, spoof, right, { ...past, path: '/' })
        await look(t, spoof, right, { ...past, path: '/staff' })
      }),
    )
  })
}

/** The path of the staff in other spellings, which lead to the same route, or to none. */
const SPELLINGS = [
  '/STAFF',
  '/staff/',
  '//staff',
  '/%73taff',
  '/./staff',
  '/x/../staff',
  '/staff;x',
  '/staff%2f',
  '/%2fstaff',
]
const CLAIM: Spoof = { what: 'a claim', lines: ['X-Remote-User: mallory', 'X_Remote_User: mallory'] }

for (const { name } of PROXIES) {
  test.serial(`X1: behind ${name}, another spelling of a path makes nobody of a claim.`, async t => {
    for (const address of Object.values(t.context.running[name]!)) {
      for (const spelling of SPELLINGS) {
        const { status, body } = await said(t, address + spelling, {
          ...CLAIM,
          target: () => new URL(address).pathname.replace(/\/$/, '') + spelling,
        })
        if (status === 200) t.is(body.user, '', spelling)
        else t.true([400, 401, 404].includes(status), `${spelling}: ${status} ${body}`)
      }
    }
  })

  test.serial(
    `X1: the control: behind a ${name} that passes on what clients send, they are whomever they claim to be.`,
    async t => {
      for (const address of Object.values(t.context.careless[name]!)) {
        for (const spoof of SPOOFS.filter(({ isDangerous }) => isDangerous)) {
          const { body } = await said(t, `${address}/`, spoof)
          t.is(body.user, 'remote:mallory', spoof.what)
        }
      }
    },
  )
}

test.serial('X1, X2: the control: what comes from the address of the proxies is believed.', async t => {
  const [{ port }] = t.context.site.processes
  const lines = ['X-Remote-User: mallory', 'X-Forwarded-For: 10.9.9.9', 'X-Forwarded-Proto: https']
  const { body } = await said(t, `http://127.0.0.1:${port}/`, { what: 'all of it', lines }, { from: PROXY })
  t.is(body.user, 'remote:mallory')
  t.deepEqual([body.ip, body.href], ['10.9.9.9', `https://127.0.0.1:${port}/`])
})
