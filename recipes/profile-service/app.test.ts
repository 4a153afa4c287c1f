import Router from '@koa/router'
import test, { type ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import { DetachedUser, requireProfile, sessionOrBasicAuth } from 'koa-strata'
import { heard } from '../../test/heard.ts'
import type { Employee } from './employee.ts'
import { EMPLOYEES, PEOPLE } from './example.ts'
import type { CanteenContext, CanteenState } from './identity.ts'
import type { Supplier } from './suppliers.ts'
import { type Temp, temps } from './temps.ts'
import { startCanteen, type TestCanteenOptions, together, Visitor } from './test-canteen.ts'

/** Whether two types are the same. */
type Is<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false

test('Each of the three kinds keeps its type, through the stack, the guards and the feed.', async t => {
  const router = new Router<CanteenState, CanteenContext>()
  // What is asserted of types holds, or this does not compile.
  router.get('/one', requireProfile('supplier'), ctx => {
    const { user } = ctx.state
    const isKept: Is<typeof user.profile, Supplier> = true
    ctx.body = `${isKept} ${user.profile.company}`
  })
  router.get('/two', requireProfile(['employee', 'temp']), ctx => {
    const { user } = ctx.state
    const isKept: Is<typeof user.profile, Employee | Temp> = true
    ctx.body = `${isKept} ${user.isTemp ? user.profile.agency : user.profile.department}`
  })
  router.get('/feed', sessionOrBasicAuth({ realm: 'Canteen' }), ctx => {
    const { user } = ctx.state
    const isKept: Is<typeof user.profile, Employee | Temp | Supplier | null> = true
    const name = user.isSupplier ? user.profile.company : user.isEmployee ? user.profile.name : user.profile?.agency
    ctx.body = `${isKept} ${name} ${ctx.profileUnavailable}`
  })
  const site = await startCanteen(t, { inside: router.routes() as unknown as Middleware })
  const answerFor = async (name: string, path: string) => (await (await Visitor.loggedIn(site, name)).send(path)).text
  t.is(await answerFor('otto', '/one'), 'true Otto Greens')
  t.is(await answerFor('noor', '/two'), 'true Brisk Hands')
  t.is(await answerFor('ada', '/two'), 'true Turbine hall')
  t.is(await answerFor('ada', '/feed'), 'true Ada Brightwell false')
  t.is(await answerFor('vera', '/feed'), 'true undefined false')
})

/** Who may see which page: the menu's prices, and the statuses of the pages for one kind or two. */
const VIEWS: Readonly<Record<string, [tariff: string, entry: number, table: number, deliveries: number]>> = {
  ada: ['Prices for Turbine hall', 200, 200, 403],
  ines: ['Prices for Accounts', 200, 200, 403],
  noor: ['Prices for people of Brisk Hands', 403, 200, 403],
  otto: ['Prices for guests', 403, 403, 200],
  vera: ['Prices for guests', 403, 403, 403],
}

for (const onUnavailable of ['fail', 'without'] as const) {
  test(`R1: Each kind has its prices and its pages, and nobody else's ('${onUnavailable}').`, async t => {
    const site = await startCanteen(t, { onUnavailable })
    for (const [name, view] of Object.entries(VIEWS)) {
      const visitor = await Visitor.loggedIn(site, name)
      const statuses = await Promise.all(['/entry', '/table', '/deliveries'].map(path => visitor.status(path)))
      t.deepEqual([await visitor.tariff(), ...statuses], view, name)
    }
    const anonymous = new Visitor(site)
    const statuses = await Promise.all(['/entry', '/table', '/deliveries'].map(path => anonymous.status(path)))
    t.deepEqual([await anonymous.tariff(), ...statuses], ['Prices for guests', 303, 303, 303])
    t.deepEqual(
      site.errors.filter(error => (error as { status?: number }).status !== 403),
      [],
    )
  })
}

test('The pages show what the profile says.', async t => {
  const site = await startCanteen(t)
  const ada = await Visitor.loggedIn(site, 'ada')
  const entry = (await ada.send('/entry')).text
  for (const text of ['Ada Brightwell', 'Turbine hall', '2019-03-01', 'no meat and no fish'])
    t.true(entry.includes(text))
  const menu = (await ada.send('/')).text
  t.regex(menu, /Lentil soup<\/th><td>2\.00 €/)
  t.notRegex(menu, /Plaice/)
  t.regex((await (await Visitor.loggedIn(site, 'ines')).send('/')).text, /Plaice with dill<\/th><td>5\.40 €/)
  t.regex((await (await Visitor.loggedIn(site, 'noor')).send('/table')).text, /table of <bdi>Brisk Hands<\/bdi>/)
  t.regex((await (await Visitor.loggedIn(site, 'otto')).send('/deliveries')).text, /onions, leeks and lentils/)
})

test('What the service says is text on the page, whatever it looks like.', async t => {
  const site = await startCanteen(t)
  await site.personnel.put(site.keys.get('ada')!, { ...EMPLOYEES.ada, department: '<script>"x"</script>' })
  t.is(await (await Visitor.loggedIn(site, 'ada')).tariff(), 'Prices for &#60;script&#62;&#34;x&#34;&#60;/script&#62;')
})

const CROWD = 20

/** So many people, each of whom asks for the menu twice, all at once. */
async function askTogether(t: ExecutionContext, options: TestCanteenOptions = {}) {
  const site = await startCanteen(t, { outside: together('/', 2 * CROWD), ...options })
  const departments = Array.from({ length: CROWD }, (_, index) => `Room ${index}`)
  const visitors = await Promise.all(departments.map((name, index) => Visitor.employed(site, `worker ${index}`, name)))
  site.requests.length = 0
  const queries: string[] = []
  site.database.on('query', ({ sql }: { sql: string }) => {
    if (sql.includes('suppliers')) queries.push(sql)
  })
  const tariffs = await Promise.all([...visitors, ...visitors].map(visitor => visitor.tariff()))
  const expected = departments.map(name => `Prices for ${name}`)
  t.deepEqual(tariffs, [...expected, ...expected])
  return { requests: site.requests, queries }
}

test(`${CROWD} people who ask at once are one request to the service and one query, and each gets their own profile.`, async t => {
  const { requests, queries } = await askTogether(t)
  t.deepEqual(requests, ['POST /profiles/look-up'])
  t.is(queries.length, 1)
})

test('Without findMany() each of them would be a request of its own.', async t => {
  const { requests } = await askTogether(t, { instead: ({ find }) => ({ find }) })
  t.is(requests.length, 2 * CROWD)
})

test('People who ask one after another are each asked about anew: nothing is kept.', async t => {
  const site = await startCanteen(t)
  const ada = await Visitor.loggedIn(site, 'ada')
  for (let count = 0; count < 3; count++) await ada.tariff()
  t.is(site.requests.length, 3)
})

test('Anonymous visitors, and people whom another source knows, never cause a request to the service.', async t => {
  const site = await startCanteen(t)
  const visitors = [new Visitor(site), await Visitor.loggedIn(site, 'otto'), await Visitor.loggedIn(site, 'noor')]
  for (const visitor of visitors) {
    for (const path of ['/', '/entry', '/table', '/deliveries', '/menu.txt', '/login', '/nothing'])
      await visitor.send(path)
    await visitor.send('/login', { username: 'ada', password: 'wrong' })
    await visitor.send('/logout', {})
  }
  t.deepEqual(site.requests, [])
  const ada = await Visitor.loggedIn(site, 'ada')
  await ada.send('/')
  t.is(site.requests.length, 1, 'it would have been seen')
})

test('R2: A profile that is changed, removed or made in the service holds at the next request.', async t => {
  const site = await startCanteen(t)
  const [ada, vera] = [await Visitor.loggedIn(site, 'ada'), await Visitor.loggedIn(site, 'vera')]
  const [adasKey, verasKey] = ['ada', 'vera'].map(name => site.keys.get(name)!) as [string, string]
  t.deepEqual([await ada.tariff(), await vera.tariff()], ['Prices for Turbine hall', 'Prices for guests'])
  await site.personnel.put(adasKey, { ...EMPLOYEES.ada, department: 'Yard' })
  await site.personnel.put(verasKey, { ...EMPLOYEES.ada, department: 'Gate' })
  t.deepEqual([await ada.tariff(), await vera.tariff()], ['Prices for Yard', 'Prices for Gate'])
  await site.personnel.remove(adasKey)
  t.deepEqual([await ada.tariff(), await vera.tariff()], ['Prices for guests', 'Prices for Gate'])
  t.deepEqual([await ada.status('/entry'), await vera.status('/entry')], [403, 200])
})

test('R2: A request in flight keeps the profile that it began with, until it asks for it again.', async t => {
  const arrived = Promise.withResolvers<void>()
  const changed = Promise.withResolvers<void>()
  const site = await startCanteen(t, {
    async inside(ctx) {
      if (ctx.path !== '/in-flight') return
      const seen = () => ctx.state.user.profile?.department ?? 'none'
      const departments = [seen()]
      arrived.resolve()
      await changed.promise
      departments.push(seen())
      await ctx.reloadProfile()
      departments.push(seen())
      await site.personnel.remove(ctx.state.user.key)
      departments.push(seen())
      await ctx.reloadProfile()
      departments.push(seen(), String(ctx.state.user.isEmployee))
      ctx.body = departments.join()
    },
  })
  const ada = await Visitor.loggedIn(site, 'ada')
  const answer = ada.send('/in-flight')
  await arrived.promise
  await site.personnel.put(site.keys.get('ada')!, { ...EMPLOYEES.ada, department: 'Yard' })
  changed.resolve()
  t.is((await answer).text, 'Turbine hall,Turbine hall,Yard,Yard,none,false')
})

test('The menu as text has the prices of whoever comes by HTTP Basic.', async t => {
  const site = await startCanteen(t)
  const menu = async (name: string) => {
    const authorization = `Basic ${Buffer.from(`${name}:${PEOPLE[name]}`).toString('base64')}`
    const response = await fetch(`${site.origin}/menu.txt`, { headers: { authorization } })
    return (await response.text()).split('\n')[0]
  }
  t.is(await menu('ada'), 'Prices for Turbine hall')
  t.is(await menu('noor'), 'Prices for people of Brisk Hands')
  t.is(await menu('otto'), 'Prices for guests')
  t.is((await fetch(`${site.origin}/menu.txt`)).status, 401)
})

test('A profile by address goes by the whole domain, and only for people of the backend that vouches for it.', async t => {
  const source = temps('agency', new Map([['brisk-hands.example', 'Brisk Hands']]))
  const find = (email: string | null, backend = 'agency') =>
    source.find(new DetachedUser({ backend, id: 'somebody/else', email }))
  for (const email of ['a@brisk-hands.example', 'A@BRISK-HANDS.Example', '"@"@brisk-hands.example'])
    t.deepEqual(await find(email), { agency: 'Brisk Hands' }, email)
  const others = [
    'a@evil-brisk-hands.example',
    'a@brisk-hands.example.org',
    'a@brisk-hands.example@example.org',
    'a@sub.brisk-hands.example',
    'brisk-hands.example',
    'a@',
    '',
    null,
    'a@constructor',
  ]
  for (const email of others) t.is(await find(email), null, String(email))
  t.is(await find('a@brisk-hands.example', 'sql'), null)
})

test('While nothing fails, no event tells of a failure.', async t => {
  const told = heard(t, 'koa-strata:backend-error')
  const site = await startCanteen(t)
  for (const name of Object.keys(PEOPLE)) await (await Visitor.loggedIn(site, name)).tariff()
  t.deepEqual(told, [])
})
