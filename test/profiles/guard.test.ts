import test from 'ava'
import { type GuardOptions, OptionInvalid, profiles, requireProfile, sessions } from 'koa-strata'
import { KEY, startApp } from '../sessions/app.ts'
import { directory, logIn, startUsersApp, type UsersHandler } from '../users/app.ts'

const WRONG: [string, unknown, unknown, option: string][] = [
  ['no kind', undefined, undefined, 'kind'],
  ['an empty kind', '', undefined, 'kind'],
  ['a kind that is a number', 5, undefined, 'kind'],
  ['no kinds', [], undefined, 'kind'],
  ['a wrong kind among others', ['employer', 'staff'], undefined, 'kind'],
  ['a kind in capitals', 'Employer', undefined, 'kind'],
  ['the flag in place of the kind', 'is-employer', undefined, 'kind'],
  ['the kind staff', 'staff', undefined, 'kind'],
  ['the kind active', 'active', undefined, 'kind'],
  ['the kind anonymous', 'anonymous', undefined, 'kind'],
  ['the kind authenticated', 'authenticated', undefined, 'kind'],
  ['the kind superuser', 'superuser', undefined, 'kind'],
  ['options: null', 'employer', null, 'options'],
  ['options: text', 'employer', '/login', 'options'],
  ['a misspelt option', 'employer', { redirectTo: '/login' }, 'redirectTo'],
  ['a redirect that is no address', 'employer', { redirect: 'log in' }, 'redirect'],
]

for (const [what, kind, options, option] of WRONG) {
  test(`requireProfile() with ${what} is an OptionInvalid that names '${option}'.`, t => {
    const error = t.throws(() => requireProfile(kind as string, options as GuardOptions), { instanceOf: OptionInvalid })
    t.is(error.where, 'requireProfile()')
    t.is(error.option, option)
  })
}

const above = [
  profiles({
    employer: { find: async ({ username }) => (username === 'alice' ? { company: 'Acme' } : null) },
    employee: { find: async ({ username }) => (username === 'bob' ? { skills: [] } : null) },
  }),
]

function guarded(kind: string | string[], options?: GuardOptions): UsersHandler {
  const guard = requireProfile(kind, options)
  return async ctx => {
    let passed = false
    await guard(ctx as never, async () => {
      passed = true
    })
    return passed ? 'in' : undefined
  }
}

test('requireProfile() lets those pass who have the profile, and answers 403 to all others who are logged in.', async t => {
  const app = await startUsersApp(t, {
    above,
    handlers: { '/employers': guarded('employer'), '/employees': guarded('employee') },
  })
  const expected = { alice: [200, 403], bob: [403, 200], carol: [403, 403] }
  for (const [name, statuses] of Object.entries(expected)) {
    const browser = app.browser()
    await logIn(browser, name)
    const answers = [await browser.get('/employers'), await browser.get('/employees')]
    t.deepEqual(
      answers.map(({ status }) => status),
      statuses,
      name,
    )
    for (const { headers } of answers) t.is(headers.vary, 'Cookie')
    if (statuses[0] === 403) t.is(answers[0]!.text, 'This page is for people with a profile as employer.')
  }
  const refused = app.errors.find(({ code }) => code === 'PROFILE_REQUIRED') as { kind?: string } | undefined
  t.is(refused?.kind, 'employee')
})

test('requireProfile() with several kinds lets those of each pass, and tells all others which.', async t => {
  const app = await startUsersApp(t, { above, handlers: { '/either': guarded(['employer', 'employee']) } })
  for (const [name, status] of Object.entries({ alice: 200, bob: 200, carol: 403 })) {
    const browser = app.browser()
    await logIn(browser, name)
    const answer = await browser.get('/either')
    t.is(answer.status, status, name)
    if (status === 403) t.is(answer.text, 'This page is for people with a profile as employer or employee.')
  }
  t.is((await app.browser().get('/either')).status, 401)
})

test('Staff and superusers without the profile do not pass: it has their data, not their rights.', async t => {
  const app = await startUsersApp(t, {
    backends: [directory('local', { root: { isSuperuser: true, isStaff: true } })],
    above,
    handlers: { '/employers': guarded('employer') },
  })
  const root = app.browser()
  await logIn(root, 'root')
  t.is((await root.get('/employers')).status, 403)
})

test('requireProfile() answers 401 to anonymous users, or sends them to log in.', async t => {
  const app = await startUsersApp(t, {
    above,
    handlers: { '/plain': guarded('employer'), '/sent': guarded('employer', { redirect: '/enter' }) },
  })
  const plain = await app.browser().get('/plain')
  t.is(plain.status, 401)
  t.is(plain.headers['www-authenticate'], 'Cookie realm="login"')
  const sent = await app.browser().get('/sent?x=1')
  t.is(sent.status, 303)
  t.is(sent.headers.location, '/enter?next=%2Fsent%3Fx%3D1')
  t.is((await app.browser().get('/sent', {}, 'POST')).status, 401)
})

for (const who of ['anonymous', 'alice']) {
  test(`A kind that profiles() does not have is an error for ${who}, which names the flags there are.`, async t => {
    const app = await startUsersApp(t, { above, handlers: { '/guarded': guarded('emploier') } })
    const browser = app.browser()
    if (who !== 'anonymous') await logIn(browser, who)
    const answer = await browser.get('/guarded')
    t.is(answer.status, 500)
    t.is(answer.text, 'Internal Server Error')
    t.is(app.errors[0]!.code, 'OPTION_INVALID')
    t.is(
      app.errors[0]!.message,
      "requireProfile(): option 'kind' 'emploier' is no kind of profiles(). The flags there are: isEmployer, isEmployee.",
    )
  })

  test(`requireProfile() without profiles() before it says to ${who} which line to add.`, async t => {
    const app = await startUsersApp(t, { handlers: { '/guarded': guarded('employer') } })
    const browser = app.browser()
    if (who !== 'anonymous') await logIn(browser, who)
    t.is((await browser.get('/guarded')).status, 500)
    t.is(app.errors[0]!.code, 'LAYER_MISSING')
    t.is(
      app.errors[0]!.message,
      'requireProfile() needs ctx.state.user.profile. Add app.use(profiles(…)) before it, or put profiles(…) before it in stack().',
    )
  })
}

test('requireProfile() without users() before it says which line to add.', async t => {
  for (const layers of [[requireProfile('employer')], [sessions({ keys: [KEY] }), requireProfile('employer')]]) {
    const app = await startApp(t, { layers: layers as never[] })
    t.is((await app.browser().get('/')).status, 500)
    t.is(
      app.errors[0]!.message,
      'requireProfile() needs ctx.state.user. Add app.use(users(…)) before it, or put users(…) before it in stack().',
    )
  }
})
