import { inspect } from 'node:util'
import test from 'ava'
import { ACCOUNTS } from './accounts.ts'
import { Browser, startRecipe } from './test-room.ts'

const [ada, noor] = ACCOUNTS as [(typeof ACCOUNTS)[number], (typeof ACCOUNTS)[number]]

test('Somebody logs in at the provider, comes back to where they wanted to go, and stays logged in.', async t => {
  const room = await startRecipe(t)
  const browser = new Browser(room)
  const shelf = await browser.ask('/shelf?sort=new')
  t.is(shelf.location, `${room.origin}/login?next=%2Fshelf%3Fsort%3Dnew`)
  const page = await browser.ask(shelf.location)
  const next = /name="next" value="([^"]*)"/.exec(page.text)![1]!
  const back = await browser.logIn(ada, next)
  t.is(back.status, 303)
  t.is(back.location, `${room.origin}/shelf?sort=new`)
  const { text } = await browser.ask(back.location)
  t.true(text.includes('Ada Reader'))
  t.true(text.includes('ada@example.org'))
  t.true(
    text.includes(`oidc:${room.provider.issuer}&#35;7f3a9c2e`) ||
      text.includes(`oidc:${room.provider.issuer}#7f3a9c2e`),
  )
  for (const _ of [1, 2]) t.is(await browser.greeting(), 'Ada Reader')
})

test('X3: Two people are two users, by subjects in any script, and an address that is not verified is nobody’s.', async t => {
  const room = await startRecipe(t)
  const [one, other] = [new Browser(room), new Browser(room)]
  await one.logIn(ada)
  await other.logIn(noor)
  t.is(await one.greeting(), 'Ada Reader')
  t.is(await other.greeting(), 'نور القارئة')
  const { text } = await other.ask('/shelf')
  t.true(text.includes(`${room.provider.issuer}#قارئة/☕ #2</code>`))
  t.false(text.includes('noor@example.org'))
})

test('Who is signed in at the provider is logged in without a question, in a tab of their own each.', async t => {
  const room = await startRecipe(t)
  const browser = new Browser(room)
  const tabs = [
    await browser.ask('/login', { next: '/shelf?tab=1' }),
    await browser.ask('/login', { next: '/shelf?tab=2' }),
  ]
  await browser.logIn(ada)
  for (const [index, tab] of tabs.entries()) {
    const back = await browser.follow(tab, location => location.startsWith(`${room.origin}/shelf`))
    t.is(back.location, `${room.origin}/shelf?tab=${index + 1}`)
  }
})

test('L8: The way back stays on this site.', async t => {
  const room = await startRecipe(t)
  for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', '']) {
    t.is((await new Browser(room).logIn(ada, next)).location, `${room.origin}/`, next)
  }
})

test('S1: A session that an attacker has planted is anonymous after the login in it, and so is a login that was begun for somebody.', async t => {
  const room = await startRecipe(t)
  const [attacker, victim] = [new Browser(room), new Browser(room)]
  const begun = await attacker.signIn(noor)
  await attacker.ask(begun.location)
  await attacker.ask('/login', {})
  const planted = new Map(attacker.own)
  t.deepEqual([...planted.keys()].sort(), ['login', 'sid'])
  for (const [name, value] of planted) victim.own.set(name, value)
  t.is(await victim.greeting(), 'نور القارئة', 'the control: it is the attacker’s')
  await victim.logIn(ada)
  t.is(await victim.greeting(), 'Ada Reader')
  t.not(victim.own.get('sid'), planted.get('sid'))
  t.is(await attacker.greeting(), 'anonymous')
  t.is((await attacker.ask('/shelf')).status, 303)
})

test('A way back that this browser did not begin is 400: somebody else’s, a made-up one, none at all.', async t => {
  const room = await startRecipe(t)
  const attacker = new Browser(room)
  const { location } = await attacker.signIn(ada)
  const victim = new Browser(room)
  const begun = new Browser(room)
  await begun.ask('/login', {})
  for (const browser of [victim, begun]) {
    const answer = await browser.ask(location)
    t.is(answer.status, 400)
    t.regex(answer.text, /Please log in again/)
    t.is(await browser.greeting(), 'anonymous')
  }
  t.is(victim.own.size, 0, 'nothing was begun for it')
  const paths = [
    '/callback',
    '/callback?code=1',
    '/callback?code=1&state=',
    '/callback?code=1&state=__proto__',
    '/callback?state=a&state=b',
  ]
  for (const path of paths) t.is((await begun.ask(path)).status, 400, path)
  t.is((await attacker.ask(location)).status, 303, 'the control: their own goes on')
})

test('A way back is good once, also for two who come at the same time.', async t => {
  const room = await startRecipe(t)
  const browser = new Browser(room)
  const { location } = await browser.signIn(ada)
  const twins = [new Browser(room), new Browser(room)]
  for (const twin of twins) twin.take(browser)
  const answers = await Promise.all(twins.map(twin => twin.ask(location)))
  t.deepEqual(answers.map(({ status }) => status).sort(), [303, 400])
  t.is((await browser.ask(location)).status, 400)
})

test('A code that was used already is refused by the provider, which is 400 here.', async t => {
  const room = await startRecipe(t)
  const [first, second] = [new Browser(room), new Browser(room)]
  const used = new URL((await first.signIn(ada)).location)
  await first.ask(used.href)
  const own = new URL((await second.signIn(ada)).location)
  own.searchParams.set('code', used.searchParams.get('code')!)
  const answer = await second.ask(own.href)
  t.is(answer.status, 400)
  t.regex(answer.text, /has been used or has expired/)
  t.is(await second.greeting(), 'anonymous')
})

test('Whoever changes their mind at the provider sees a page, and nothing that the provider or anybody else wrote.', async t => {
  const room = await startRecipe(t)
  const browser = new Browser(room)
  const form = await browser.follow(await browser.ask('/login', {}))
  const action = /action="([^"]+)"/.exec(form.text)![1]!
  const back = await browser.follow(await browser.ask(room.provider.issuer + action, { choice: 'cancel' }), location =>
    location.startsWith(room.origin),
  )
  t.regex(back.location, /error=access_denied/)
  const answer = await browser.ask(`${back.location}&error_description=<b>Call+this+number`)
  t.is(answer.status, 403)
  t.regex(answer.text, /did not let you in, or you changed your mind/)
  t.notRegex(answer.text, /number|cancelled/)
})

test('L5: While the provider is down, logging in is 503, and people who are logged in stay so and can log out.', async t => {
  const room = await startRecipe(t)
  const [early, late] = [new Browser(room), new Browser(room)]
  await early.logIn(ada)
  const { location } = await late.signIn(noor)
  room.provider.server.close()
  room.provider.server.closeAllConnections()
  const refused = await late.ask(location)
  t.is(refused.status, 503)
  t.is(refused.headers.get('retry-after'), '5')
  t.regex(refused.text, /cannot be reached at the moment/)
  t.is(await early.greeting(), 'Ada Reader')
  t.is((await early.ask('/shelf')).status, 200)
  await early.ask('/logout', {})
  t.is(await early.greeting(), 'anonymous')
})

test('The app starts without the provider, and finds it when it is there.', async t => {
  const room = await startRecipe(t)
  const { server } = room.provider
  const { port } = new URL(room.provider.issuer)
  await new Promise(resolve => {
    server.close(resolve)
    server.closeAllConnections()
  })
  const browser = new Browser(room)
  t.is((await browser.ask('/login', {})).status, 503)
  t.is(await browser.greeting(), 'anonymous')
  await new Promise<void>(resolve => server.listen(Number(port), '127.0.0.1', resolve))
  await browser.logIn(ada)
  t.is(await browser.greeting(), 'Ada Reader')
})

test('Who logs out here is logged out here at once, and can log out there.', async t => {
  const room = await startRecipe(t)
  const browser = new Browser(room)
  await browser.logIn(ada)
  const stolen = new Browser(room)
  stolen.take(browser)
  const out = await browser.ask('/logout', {})
  const url = new URL(out.location)
  t.is(url.origin, room.provider.issuer)
  t.is(url.searchParams.get('post_logout_redirect_uri'), `${room.origin}/`)
  t.is(url.searchParams.get('id_token_hint')!.split('.').length, 3)
  t.is(await stolen.greeting(), 'anonymous')

  const question = await browser.follow(out)
  t.regex(question.text, /Sign out\?/)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(question.text)![1]!
  const action = /action="([^"]+)"/.exec(question.text)![1]!
  const done = await browser.ask(new URL(action, room.provider.issuer).href, { xsrf, logout: 'yes' })
  t.is(done.location, `${room.origin}/`)
  const again = await browser.follow(await browser.ask('/login', {}))
  t.regex(again.text, /Sign in/, 'the provider asks again')
})

test('S4: Who logs out there is logged out here, in every browser, and somebody else is not.', async t => {
  const room = await startRecipe(t)
  const [laptop, phone, other] = [new Browser(room), new Browser(room), new Browser(room)]
  await laptop.logIn(noor)
  await phone.logIn(noor)
  await other.logIn(ada)
  const question = await laptop.ask(`${room.provider.issuer}/session/end`)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(question.text)![1]!
  await laptop.ask(`${room.provider.issuer}/session/end/confirm`, { xsrf, logout: 'yes' })
  t.is(await laptop.greeting(), 'anonymous')
  t.is(await phone.greeting(), 'anonymous')
  t.is(await other.greeting(), 'Ada Reader')
  await laptop.logIn(noor)
  t.is(await laptop.greeting(), 'نور القارئة')
})

test('L9: No code, token or secret is in what the application is told of.', async t => {
  const room = await startRecipe(t)
  const browser = new Browser(room)
  const { location } = await browser.signIn(ada)
  const code = new URL(location).searchParams.get('code')!
  await new Browser(room).ask(location)
  const tampered = new Browser(room)
  const own = new URL((await tampered.signIn(ada)).location)
  own.searchParams.set('code', code)
  own.searchParams.set('iss', 'https://evil.example')
  t.is((await tampered.ask(own.href)).status, 400)
  room.provider.server.close()
  room.provider.server.closeAllConnections()
  t.is((await browser.ask(location)).status, 503)
  t.is(room.errors.length, 3)
  const told = inspect(room.errors, { depth: Number.POSITIVE_INFINITY, showHidden: true })
  for (const secret of [code, own.searchParams.get('state')!, 'a secret of the reading room'])
    t.false(told.includes(secret))
})
