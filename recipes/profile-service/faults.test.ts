import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { heard } from '../../test/heard.ts'
import { EMPLOYEES, employ, PEOPLE, Personnel } from './example.ts'
import {
  DEADLINE,
  startCanteen,
  startCanteenOn,
  type TestCanteen,
  type TestCanteenOptions,
  Visitor,
} from './test-canteen.ts'
import { answer, entries, type Reply, startTestService } from './test-service.ts'

const ADA = EMPLOYEES.ada!
/** In milliseconds: many deadlines, and a small part of what `fetch` would wait by itself. */
const SOON = 20_000

/** A canteen of each mode on one service, with people who are logged in: the service is asked about Ada alone. */
interface Crowd {
  readonly mode: 'fail' | 'without'
  readonly site: TestCanteen
  readonly ada: Visitor
  readonly otto: Visitor
  readonly noor: Visitor
}

function crowds(
  t: ExecutionContext,
  service: { url: string; token: string },
  options: TestCanteenOptions = {},
): Promise<Crowd[]> {
  const modes = ['fail', 'without'] as const
  return Promise.all(
    modes.map(async mode => {
      const site = await startCanteenOn(t, service, { ...options, onUnavailable: mode })
      const [ada, otto, noor] = await Promise.all(['ada', 'otto', 'noor'].map(name => Visitor.loggedIn(site, name)))
      return { mode, site, ada: ada!, otto: otto!, noor: noor! }
    }),
  )
}

/** The recipe's own service, which knows Ada, and both canteens on it. */
async function crowdsOfPersonnel(t: ExecutionContext, options?: TestCanteenOptions) {
  const personnel = await Personnel.start(t)
  const both = await crowds(t, personnel, options)
  await employ(personnel, both[0]!.site.keys)
  return { personnel, both }
}

const NOTE = /We cannot look up what you are to the works at the moment/

/** What people see while the service cannot say: never "no profile". */
async function isAway(t: ExecutionContext, both: Crowd[], what = ''): Promise<void> {
  await Promise.all(
    both.map(async ({ mode, site, ada, otto, noor }) => {
      const failing = ['/entry', '/table', '/deliveries', ...(mode === 'fail' ? ['/', '/menu.txt', '/nothing'] : [])]
      const going = mode === 'fail' ? [] : ['/', '/menu.txt']
      await Promise.all([
        ...failing.map(async path => {
          const { status, headers, text } = await ada.send(path)
          t.deepEqual([status, headers.get('retry-after')], [503, '2'], `${mode} ${path} ${what}`)
          t.regex(text, /One moment, please/)
        }),
        ...going.map(async path => {
          const { status, text } = await ada.send(path)
          t.is(status, 200, `${mode} ${path} ${what}`)
          t.regex(text, /Prices for guests/)
          t.regex(text, NOTE)
        }),
      ])
      // About nobody else the service is asked.
      for (const [who, tariff] of [
        [new Visitor(site), 'Prices for guests'],
        [otto, 'Prices for guests'],
        [noor, 'Prices for people of Brisk Hands'],
      ] as const) {
        const { status, text } = await who.send('/')
        t.is(status, 200)
        t.true(text.includes(tariff))
        t.notRegex(text, NOTE)
      }
      t.deepEqual([await otto.status('/deliveries'), await noor.status('/entry')], [200, 403])
    }),
  )
}

async function isBack(t: ExecutionContext, both: Crowd[], what = ''): Promise<void> {
  for (const { mode, ada } of both) {
    const { text } = await ada.send('/')
    t.regex(text, /Prices for Turbine hall/, `${mode} ${what}`)
    t.notRegex(text, NOTE)
    t.deepEqual([await ada.status('/entry'), await ada.status('/deliveries')], [200, 403])
  }
}

test.serial('A service that is frozen is away within the deadline, and back when it goes on.', async t => {
  const { personnel, both } = await crowdsOfPersonnel(t, { deadline: DEADLINE })
  personnel.server.signal('SIGSTOP')
  t.teardown(() => personnel.server.signal('SIGCONT'))
  const began = performance.now()
  const looks = both.map(({ ada }) => Promise.all(Array.from({ length: 50 }, () => ada.tariff())))
  const [failing, going] = (await Promise.all(looks)).map(seen => new Set(seen))
  const took = performance.now() - began
  t.deepEqual([failing, going], [new Set(['503']), new Set(['Prices for guests'])])
  t.true(took > 0.9 * DEADLINE && took < SOON, `${took} ms`)
  await isAway(t, both)
  personnel.server.signal('SIGCONT')
  await isBack(t, both)
})

test.serial('A source that takes longer than profiles() lets it is away as well.', async t => {
  const { personnel, both } = await crowdsOfPersonnel(t, { appDeadline: DEADLINE })
  personnel.server.signal('SIGSTOP')
  t.teardown(() => personnel.server.signal('SIGCONT'))
  const began = performance.now()
  await isAway(t, both)
  t.true(performance.now() - began < SOON)
  personnel.server.signal('SIGCONT')
  await isBack(t, both)
})

test.serial("A service that answers after the deadline is away, and its late answer is nobody's.", async t => {
  const late = Promise.withResolvers<void>()
  const reply = entries(user => ({ user, profile: ADA }))
  const service = await startTestService(t, async (...request) => {
    await late.promise
    return reply(...request)
  })
  const both = await crowds(t, service, { deadline: DEADLINE })
  await isAway(t, both)
  service.reply = entries(user => ({ user, profile: { ...ADA, department: 'Yard' } }))
  late.resolve()
  for (const { ada } of both) t.is(await ada.tariff(), 'Prices for Yard')
})

test('A service that is dead is away at once, and back when it is started again at its port.', async t => {
  const { personnel, both } = await crowdsOfPersonnel(t)
  await isBack(t, both)
  for (let times = 0; times < 2; times++) {
    await personnel.server.kill()
    await isAway(t, both)
    await personnel.server.restart()
    await isBack(t, both)
  }
})

test('A service that dies while it is asked is away at once.', async t => {
  const { personnel, both } = await crowdsOfPersonnel(t)
  await isBack(t, both)
  personnel.server.signal('SIGSTOP')
  const { requests } = both[0]!.site
  requests.length = 0
  const looks = both.map(({ ada }) => ada.status('/entry'))
  while (requests.length < 2) await new Promise(setImmediate)
  await personnel.server.kill()
  t.deepEqual(await Promise.all(looks), [503, 503])
  await isAway(t, both)
})

test('For people who come by HTTP Basic it is away as well, and their credentials are not called wrong.', async t => {
  const { personnel, both } = await crowdsOfPersonnel(t)
  const look = (username: string, password = PEOPLE[username]) => {
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    return Promise.all(both.map(({ site }) => fetch(`${site.origin}/menu.txt`, { headers: { authorization } })))
  }
  await personnel.server.kill()
  const [failing, going] = await look('ada')
  t.deepEqual([failing!.status, failing!.headers.get('retry-after')], [503, '2'])
  t.is(going!.status, 200)
  t.regex(await going!.text(), NOTE)
  for (const { status } of await look('otto')) t.is(status, 200)
  for (const { status } of await look('ada', 'wrong')) t.is(status, 401)
  await personnel.server.restart()
  for (const response of await look('ada')) t.regex(await response.text(), /^Prices for Turbine hall\n/)
})

test('People log in and out while the service is away.', async t => {
  const { personnel, both } = await crowdsOfPersonnel(t)
  await personnel.server.kill()
  for (const { site } of both) {
    const ada = await Visitor.loggedIn(site, 'ada')
    t.is((await ada.send('/login')).status, 200)
    t.is((await ada.send('/logout', {})).status, 303)
    t.is(await ada.status('/entry'), 303)
  }
})

const FAULTS: Readonly<Record<string, Reply>> = {
  'answered 500': answer('', 500),
  'answered 404': answer({ error: 'no such page' }, 404),
  'answered 401': answer('', 401),
  'answered what is no JSON': answer('<!doctype html><title>Welcome, Ada Brightwell</title>'),
  'could not be asked: UND_ERR_SOCKET': response => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('{"profiles":[{"user":"sql:1","profile":null}]}', () => response.destroy())
  },
  'answered a profile that is no object': entries(user => ({ user, profile: [ADA] })),
  "answered a profile whose 'diet' is none of any, vegetarian, vegan": entries(user => ({
    user,
    profile: { ...ADA, diet: undefined },
  })),
  'answered with the profile of another user': entries(() => ({ user: 'sql:999', profile: ADA })),
  'did not answer with one entry for each user': answer({ profiles: [] }),
  'answered more than 32768 bytes': answer(' '.repeat(100_000)),
}

test('L9: Whatever the service answers that is no profile, it is away until it answers properly, and operators hear why without secrets.', async t => {
  const told = heard(t, 'koa-strata:backend-error')
  const service = await startTestService(t, answer(''))
  const both = await crowds(t, service)
  for (const [problem, reply] of Object.entries(FAULTS)) {
    service.reply = reply
    await isAway(t, both, problem)
    service.reply = entries(user => ({ user, profile: ADA }))
    await isBack(t, both, problem)
    const message = `The profile service ${problem}.`
    const mine = told.filter(({ error }) => (error as Error).message === message)
    t.deepEqual(new Set(mine.map(({ backend }) => backend)), new Set(['profiles.employee']), problem)
  }
  const all = inspect([told, both.map(({ site }) => site.errors)], {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
  })
  for (const secret of [service.token, 'sql:', 'Brightwell']) t.false(all.includes(secret), secret)
})

test('A profile that cannot be asked for again stays as it was.', async t => {
  const site = await startCanteen(t, {
    async inside(ctx) {
      if (ctx.path !== '/in-flight') return
      await site.personnel.server.kill()
      await t.throwsAsync(ctx.reloadProfile(), { message: /Accounts are unavailable/ })
      ctx.body = ctx.state.user.profile?.department ?? 'none'
    },
  })
  t.is((await (await Visitor.loggedIn(site, 'ada')).send('/in-flight')).text, 'Turbine hall')
})

test('Where requests go on without, one whose profile cannot be asked for again does too, and knows it.', async t => {
  const site = await startCanteen(t, {
    onUnavailable: 'without',
    async inside(ctx) {
      if (ctx.path !== '/in-flight') return
      const seen = () => [
        ctx.state.user.profile?.department ?? 'none',
        ctx.state.user.isEmployee,
        ctx.profileUnavailable,
      ]
      const before = seen()
      await site.personnel.server.kill()
      await ctx.reloadProfile()
      ctx.body = [...before, ...seen()].join()
    },
  })
  const ada = await Visitor.loggedIn(site, 'ada')
  t.is((await ada.send('/in-flight')).text, 'Turbine hall,true,false,none,false,true')
})
