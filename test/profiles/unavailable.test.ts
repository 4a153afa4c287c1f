import test, { type ExecutionContext } from 'ava'
import {
  type AuthenticatedUser,
  OptionInvalid,
  type ProfileContext,
  type ProfileSource,
  type ProfilesOptions,
  profiles,
  requireProfile,
} from 'koa-strata'
import { heard } from '../heard.ts'
import { causes, type TestApp } from '../sessions/app.ts'
import { directory, logIn, startUsersApp, type UsersContext, type UsersHandler } from '../users/app.ts'

const WRONG: [string, unknown, option: string][] = [
  ['options: null', null, 'options'],
  ['options: text', 'without', 'options'],
  ['a misspelt option', { timeout: 5 }, 'timeout'],
  ['deadline: 0', { deadline: 0 }, 'deadline'],
  ['deadline: a fraction', { deadline: 0.5 }, 'deadline'],
  ['deadline: false', { deadline: false }, 'deadline'],
  ['onUnavailable: anonymous', { onUnavailable: 'anonymous' }, 'onUnavailable'],
  ['onUnavailable: true', { onUnavailable: true }, 'onUnavailable'],
]

for (const [what, options, option] of WRONG) {
  test(`profiles() with ${what} is an OptionInvalid that names '${option}'.`, t => {
    const sources = { employer: { find: async () => null } }
    const error = t.throws(() => profiles(sources, options as ProfilesOptions), { instanceOf: OptionInvalid })
    t.is(error.where, 'profiles()')
    t.is(error.option, option)
  })
}

/** What a busy machine keeps. */
const WIDE = 60_000
/** What is kept by whoever answers in the same turn of the event loop, and not by a source that never answers. */
const SHORT = 50

const down = () => new Error('secret db7')
const never = () => new Promise<never>(() => {})
const find = async () => ({ company: 'never asked' })

/** Sources that cannot say, the deadline to try them with, and what the cause is. */
const BROKEN: Record<string, [source: ProfileSource<object>, deadline: number, cause: RegExp]> = {
  'never answers': [{ find: never }, SHORT, /^no answer to find within 50 ms$/],
  'never answers for many': [{ find, findMany: never }, SHORT, /^no answer to findMany within 50 ms$/],
  rejects: [{ find: () => Promise.reject(down()) }, WIDE, /db7/],
  'rejects for many': [{ find, findMany: () => Promise.reject(down()) }, WIDE, /db7/],
  'throws at once': [
    {
      find() {
        throw down()
      },
    },
    WIDE,
    /db7/,
  ],
  'throws at once for many': [
    {
      find,
      findMany() {
        throw down()
      },
    },
    WIDE,
    /db7/,
  ],
  'answers undefined for many': [{ find, findMany: async () => undefined as never }, WIDE, /an array with one entry/],
  'answers too few': [{ find, findMany: async () => [] }, WIDE, /an array with one entry/],
  'answers too many': [{ find, findMany: async () => [{}, {}] }, WIDE, /an array with one entry/],
}

type ProfilesHandler = (ctx: UsersContext & ProfileContext) => unknown

const shown: ProfilesHandler = ctx => {
  const { key, profile, isEmployer, isEmployee, isPartner } = ctx.state.user
  return { key, profile, flags: [isEmployer, isEmployee, isPartner], unavailable: ctx.profileUnavailable }
}

function guarded(kind: string, redirect?: string): ProfilesHandler {
  const guard = requireProfile(kind, { redirect })
  return async ctx => {
    let passed = false
    await guard(ctx as never, async () => {
      passed = true
    })
    return passed ? 'in' : undefined
  }
}

const HANDLERS: Record<string, ProfilesHandler> = {
  '/shown': shown,
  '/employers': guarded('employer'),
  '/employees': guarded('employee'),
  '/sent': guarded('employee', '/enter'),
  '/unavailable': ctx => String(ctx.profileUnavailable),
}

/** An app of three kinds: alice is an employer, and the source of employees is as given. */
async function start(t: ExecutionContext, employee: ProfileSource<object>, options: ProfilesOptions) {
  const asked: string[] = []
  const above = [
    profiles(
      {
        employer: { find: async ({ username }) => (username === 'alice' ? { company: 'Acme' } : null) },
        employee,
        partner: {
          async find({ key }) {
            asked.push(key)
            return { since: 2001 }
          },
        },
      },
      options,
    ),
  ]
  const app = await startUsersApp(t, { above, handlers: HANDLERS as Record<string, UsersHandler> })
  return { app, asked }
}

for (const [what, [source, deadline, cause]] of Object.entries(BROKEN)) {
  test(`A source that ${what} is 503, told by an event and the cause, and no later kind is asked.`, async t => {
    const { app, asked } = await start(t, source, { deadline })
    const failures = heard(t, 'koa-strata:backend-error')
    const [alice, bob] = [app.browser(), app.browser()]
    t.is((await logIn(alice, 'alice')).status, 200)
    t.deepEqual((await alice.get('/shown')).json.profile, { company: 'Acme' })
    t.is((await logIn(bob, 'bob')).status, 503)
    for (const path of ['/shown', '/employers', '/employees', '/ping']) {
      const answer = await bob.get(path)
      t.is(answer.status, 503, path)
      t.is(answer.headers['retry-after'], '2')
      t.is(answer.text, 'Accounts are unavailable at the moment. Please try again shortly.')
    }
    t.deepEqual(asked, [])
    t.is(app.errors[0]!.code, 'BACKEND_UNAVAILABLE')
    for (const error of causes(app)) t.regex((error as Error).message, cause)
    t.true(failures.some(one => one.backend === 'profiles.employee' && cause.test((one.error as Error).message)))
  })

  test(`A source that ${what} leaves the request without a profile where that is asked for, and no later kind is asked.`, async t => {
    const { app, asked } = await start(t, source, { deadline, onUnavailable: 'without' })
    const failures = heard(t, 'koa-strata:backend-error')
    const [alice, bob, nobody] = [app.browser(), app.browser(), app.browser()]
    await logIn(alice, 'alice')
    const acme = { key: 'local:alice', profile: { company: 'Acme' }, flags: [true, false, false], unavailable: false }
    t.deepEqual((await alice.get('/shown')).json, acme)
    t.is((await logIn(bob, 'bob')).status, 200)
    const without = { key: 'local:bob', profile: null, flags: [false, false, false], unavailable: true }
    t.deepEqual((await bob.get('/shown')).json, without)
    t.deepEqual(asked, [])
    t.is(app.errors.length, 0)
    t.true(failures.some(one => one.backend === 'profiles.employee' && cause.test((one.error as Error).message)))

    for (const path of ['/employers', '/employees', '/sent']) {
      const answer = await bob.get(path)
      t.is(answer.status, 503, path)
      t.is(answer.headers['retry-after'], '2')
      t.is(answer.headers.vary, 'Cookie')
      t.notRegex(answer.text, /secret|answer/)
    }
    t.deepEqual(
      app.errors.map(({ code }) => code),
      ['BACKEND_UNAVAILABLE', 'BACKEND_UNAVAILABLE', 'BACKEND_UNAVAILABLE'],
    )
    t.is((await alice.get('/employers')).text, 'in')
    t.is((await alice.get('/employees')).status, 403, 'of alice it is known that she is none')
    t.is((await nobody.get('/employees')).status, 401)
    const sent = await nobody.get('/sent')
    t.deepEqual([sent.status, sent.headers.location], [303, '/enter?next=%2Fsent'])
    t.false((await nobody.get('/shown')).json.unavailable)
  })
}

test('A source that answers undefined has no profile for the user, and that is known.', async t => {
  const source = { find: async () => undefined as never }
  const { app, asked } = await start(t, source, { onUnavailable: 'without' })
  const bob = app.browser()
  await logIn(bob, 'bob')
  const { profile, unavailable } = (await bob.get('/shown')).json
  t.deepEqual([profile, unavailable], [{ since: 2001 }, false])
  t.true(asked.length > 0)
  t.is((await bob.get('/employees')).status, 403)
})

test('C7: A response that has looked at ctx.profileUnavailable alone varies by the cookie.', async t => {
  const { app } = await start(t, { find: () => Promise.reject(down()) }, { onUnavailable: 'without' })
  const bob = app.browser()
  t.is((await bob.get('/unavailable')).text, 'false')
  await logIn(bob, 'bob')
  const answer = await bob.get('/unavailable')
  t.is(answer.text, 'true')
  t.is(answer.headers.vary, 'Cookie')
  t.is((await bob.get('/ping')).headers.vary, undefined)
})

/** A source of employees that can be frozen: what it is asked then it never answers, thawed neither. */
function freezable(many: boolean) {
  let frozen = false
  const source = {
    hanging: 0,
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
    },
    async find({ key }: AuthenticatedUser): Promise<object> {
      if (!frozen) return { skills: [key] }
      source.hanging++
      return never()
    },
    ...(many && {
      async findMany(users: AuthenticatedUser[]): Promise<object[]> {
        if (!frozen) return users.map(({ key }) => ({ skills: [key] }))
        source.hanging++
        return never()
      },
    }),
  }
  return source
}

/** Asks as often as that, by all browsers in turn, so many at once; answers how many got which status. */
async function ask(
  browsers: ReturnType<TestApp['browser']>[],
  count: number,
  atOnce: number,
): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {}
  for (let from = 0; from < count; from += atOnce) {
    const wave = Array.from({ length: atOnce }, (_, index) => browsers[(from + index) % browsers.length]!.get('/ping'))
    for (const { status } of await Promise.all(wave)) statuses[status] = (statuses[status] ?? 0) + 1
  }
  return statuses
}

for (const many of [false, true]) {
  test(`T3: Behind a frozen source ${many ? 'with' : 'without'} findMany 1,000 requests leave a bounded number of calls hanging, and all is well when it is back.`, async t => {
    const people = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`p${index}`, {}]))
    const source = freezable(many)
    const app = await startUsersApp(t, {
      backends: [directory('local', people)],
      above: [profiles({ employee: source }, { deadline: SHORT })],
      handlers: { '/shown': shown as UsersHandler },
    })
    const browsers = await Promise.all(
      Object.keys(people).map(async name => {
        const browser = app.browser()
        await logIn(browser, name)
        return browser
      }),
    )
    source.freeze()
    const begun = performance.now()
    t.deepEqual(await ask(browsers, 1000, 50), { 503: 1000 })
    // 64, the wave that was under way when there were as many, and a probe for each deadline.
    const probes = Math.ceil((performance.now() - begun) / SHORT)
    t.true(source.hanging <= 64 + 50 + probes, `${source.hanging} hang`)
    source.thaw()
    const back = performance.now()
    while ((await browsers[0]!.get('/ping')).status === 503)
      if (performance.now() - back > 10_000) return t.fail('it takes one probe to be back')
    t.deepEqual(await ask(browsers, 200, 50), { 200: 200 })
    for (const [index, browser] of browsers.entries())
      t.deepEqual((await browser.get('/shown')).json.profile, { skills: [`local:p${index}`] })
  })
}
