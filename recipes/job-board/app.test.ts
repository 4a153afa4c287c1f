import test from 'ava'
import { loginAs } from 'koa-strata/testing'
import { demoAccounts, partnerPeople } from './seed.ts'
import { startBoard, Visitor } from './test-board.ts'

const { marta, elektra, ines, oleksandr, robin, sam } = demoAccounts
const [noor, tomas] = partnerPeople as [(typeof partnerPeople)[0], (typeof partnerPeople)[0]]
const opening = { title: 'Gärtner', place: 'Jena', salary: '', description: 'Bäume schneiden.\r\n\r\nIm Winter.' }

test('the start shows itself to strangers and leads everybody else to their own page', async t => {
  const board = await startBoard(t.teardown)
  const stranger = await new Visitor(board).get('/')
  t.is(stranger.status, 200)
  t.is(stranger.headers.get('set-cookie'), null)
  const homes = [
    [marta, '/company'],
    [ines, '/openings'],
    [robin, '/welcome'],
    [sam, '/staff'],
    [noor, '/openings'],
  ] as const
  for (const [who, home] of homes) {
    const response = await (await Visitor.loggedIn(board, who)).get('/')
    t.deepEqual([response.status, response.headers.get('location')], [303, home], who.username)
  }
})

test('people log in by name or by e-mail address and come to the page they asked for', async t => {
  const board = await startBoard(t.teardown)
  const visitor = new Visitor(board)
  const sent = await visitor.get('/openings/1?from=feed')
  t.is(sent.status, 303)
  const to = sent.headers.get('location')!
  t.is(to, `/login?next=${encodeURIComponent('/openings/1?from=feed')}`)
  t.regex(await visitor.page(to), /name="next" value="\/openings\/1\?from=feed"/)
  const username = ines.email.toUpperCase()
  const done = await visitor.post('/login', { username, password: ines.password, next: '/openings/1?from=feed' })
  t.deepEqual([done.status, done.headers.get('location')], [303, '/openings/1?from=feed'])
})

test('after ten wrong passwords the form says when to try again, with 429, and the owner is let in by another browser that they know', async t => {
  const board = await startBoard(t.teardown)
  const login = { username: ines.username, password: ines.password }
  const lines = (await new Visitor(board).post('/login', login)).headers.getSetCookie()
  const known = new Visitor(board)
  known.cookie = lines.find(line => line.startsWith('sid-device='))!.split(';', 1)[0]!
  const visitor = new Visitor(board)
  const guess = (password: string) => visitor.post('/login', { username: ines.username, password, next: '/feeds' })
  for (let count = 0; count < 10; count++) t.is((await guess(`guess number ${count}`)).status, 401)
  const response = await guess('guess number ten')
  t.is(response.status, 429)
  const seconds = response.headers.get('retry-after')
  t.regex(
    await response.text(),
    new RegExp(`role="alert"><p>Too many logins have failed. Try again in ${seconds} seconds.`),
  )
  t.is((await guess(ines.password)).status, 429)
  t.is((await known.post('/login', login)).status, 303)
})

test('a wrong password gets the form again with 401, the name kept and the password not', async t => {
  const visitor = new Visitor(await startBoard(t.teardown))
  const response = await visitor.post('/login', { username: '<Märta>', password: 'secret-typed-wrong', next: '/feeds' })
  t.is(response.status, 401)
  t.is(response.headers.get('set-cookie'), null)
  const page = await response.text()
  t.regex(page, /role="alert"><p>This name and password do not belong together/)
  t.regex(page, /value="&lt;Märta&gt;"/)
  t.regex(page, /name="next" value="\/feeds"/)
  t.notRegex(page, /secret-typed-wrong/)
})

test('an employer posts, edits, closes and reopens an opening, and others see what is open', async t => {
  const board = await startBoard(t.teardown)
  const employer = await Visitor.loggedIn(board, marta)
  const employee = await Visitor.loggedIn(board, ines)
  const posted = await employer.post('/company/openings', opening)
  t.is(posted.status, 303)
  const own = posted.headers.get('location')!
  t.regex(await employer.page(own), /Your opening is on the board/)
  t.notRegex(await employer.page(own), /Your opening is on the board/, 'a message is shown once')

  const path = own.replace('/company', '')
  t.regex(await employee.page('/openings'), /Gärtner/)
  t.regex(await employee.page(path), /<p dir="auto">Bäume schneiden\.<\/p><p dir="auto">Im Winter\.<\/p>/)

  t.is((await employer.post(`${own}/edit`, { ...opening, title: 'Gärtnerin' })).status, 303)
  t.regex(await employee.page('/openings'), /Gärtnerin/)
  t.is((await employer.post(`${own}/close`)).status, 303)
  t.notRegex(await employee.page('/openings'), /Gärtnerin/)
  t.regex(await employee.page(path), /This opening has been closed/)
  const late = await employee.post(`${path}/applications`, { letter: 'Zu spät?' })
  t.is(late.status, 303)
  t.regex(await employee.page(path), /Nothing was sent/)
  t.is((await employer.post(`${own}/reopen`)).status, 303)
  t.regex(await employee.page('/openings'), /Gärtnerin/)
})

test('a form with mistakes comes back with 422, each message beside its field, and what was written', async t => {
  const board = await startBoard(t.teardown)
  const employer = await Visitor.loggedIn(board, marta)
  const response = await employer.post('/company/openings', { ...opening, title: ' ', description: 'x'.repeat(5001) })
  t.is(response.status, 422)
  const page = await response.text()
  t.regex(page, /<title>Error: Post an opening/)
  t.regex(page, /id="title-error">Write what the work is/)
  t.regex(page, /id="title"[^>]*aria-describedby="title-hint title-error" aria-invalid="true" autofocus/)
  t.regex(page, /id="description-error">This has 5,001 characters\. 5,000 at most/)
  t.regex(page, /value="Jena"/)
  t.is((await board.board.openings.ownedBy('sql:1')).length, 2)
})

test('an employee applies once, sees it, and only the employer concerned reads it', async t => {
  const board = await startBoard(t.teardown)
  const employee = await Visitor.loggedIn(board, ines)
  const letter = 'Ich drucke gern. <script>alert(1)</script> 🖨️'
  t.is((await employee.post('/openings/2/applications', { letter })).status, 303)
  t.regex(await employee.page('/openings/2'), /Your application is with the employer/)
  t.is((await employee.post('/openings/2/applications', { letter: 'Again' })).status, 303)
  t.regex(await employee.page('/openings/2'), /You have applied already/)
  t.regex(await employee.page('/applications'), /Letterpress printer/)

  const read = await (await Visitor.loggedIn(board, elektra)).page('/company/openings/2')
  t.regex(read, /Inès Faye/)
  t.regex(read, /ines@people\.example/)
  t.regex(read, /Ich drucke gern\. &lt;script&gt;alert\(1\)&lt;\/script&gt; 🖨️/)
  t.notRegex(read, /Again/)
  t.is((await (await Visitor.loggedIn(board, marta)).get('/company/openings/2')).status, 404)
  t.notRegex(await (await Visitor.loggedIn(board, oleksandr)).page('/applications'), /Baker/)
})

test('twenty sends of one application at once make one application', async t => {
  const board = await startBoard(t.teardown)
  const employee = await Visitor.loggedIn(board, ines)
  const sends = Array.from({ length: 20 }, () => employee.post('/openings/2/applications', { letter: 'Now.' }))
  t.true((await Promise.all(sends)).every(({ status }) => status === 303))
  t.is((await board.database('applications').where({ letter: 'Now.' })).length, 1)
})

test('thirty people who have no password yet apply, and the employer reads each of them', async t => {
  const board = await startBoard(t.teardown)
  const apply = async (username: string) => {
    const visitor = new Visitor(board)
    visitor.cookie = await loginAs(board.app, await board.users.create({ username }))
    await visitor.post('/welcome/employee', {
      name: `Somebody called ${username}`,
      city: 'Jena',
      skills: 'setting type',
    })
    return visitor.post('/openings/2/applications', { letter: `From ${username}.` })
  }
  const people = Array.from({ length: 30 }, (_, index) => `person-${index + 1}`)
  for (const { status } of await Promise.all(people.map(apply))) t.is(status, 303)
  const employer = new Visitor(board)
  employer.cookie = await loginAs(board.app, (await board.users.find({ username: elektra.username }))!)
  const page = await employer.page('/company/openings/2')
  for (const username of people) t.regex(page, new RegExp(`Somebody called ${username}\\b[^]*From ${username}\\.`))
})

test('a partner’s person logs in without a record, has a profile and recommends somebody', async t => {
  const board = await startBoard(t.teardown)
  const partner = await Visitor.loggedIn(board, { username: noor.email, password: noor.password })
  t.is(await board.users.find({ username: noor.username }), null)
  t.regex(await partner.page('/account'), /our partner, who vouches for you/)
  t.regex(await partner.page('/profile'), /Bridge Talent/)
  const sent = await partner.post('/openings/2/recommendations', { candidate: 'Đặng Thùy', note: 'Sets type blind.' })
  t.is(sent.status, 303)
  t.regex(await partner.page('/recommendations'), /Đặng Thùy/)
  t.regex(await (await Visitor.loggedIn(board, elektra)).page('/company/openings/2'), /Sets type blind/)
})

test('somebody without a profile says once what they are', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.loggedIn(board, robin)
  t.regex(await visitor.page('/welcome'), /I am hiring[\s\S]*I am looking for work/)
  t.is((await visitor.get('/welcome/partner')).status, 404)
  t.is((await visitor.post('/welcome/employee', { name: '李 Robin' })).status, 422)
  const profile = { name: '李 Robin', city: 'Wien', skills: 'setting type' }
  const created = await visitor.post('/welcome/employee', profile)
  t.deepEqual([created.status, created.headers.get('location')], [303, '/'])
  t.is((await visitor.get('/')).headers.get('location'), '/openings')
  await visitor.post('/welcome/employer', { company: 'Second thoughts' })
  t.is((await board.database('employers').where({ company: 'Second thoughts' })).length, 0)
  t.is((await visitor.post('/profile', { ...profile, city: 'Linz' })).status, 303)
  t.regex(await visitor.page('/profile'), /value="Linz"/)
})

test('a partner’s person without a profile becomes a partner and nothing else', async t => {
  const visitor = await Visitor.loggedIn(await startBoard(t.teardown), tomas)
  t.is((await visitor.get('/welcome')).headers.get('location'), '/welcome/partner')
  t.is((await visitor.post('/welcome/employer', { company: 'Mine' })).status, 404)
  t.is((await visitor.post('/welcome/partner', { agency: 'Puente', region: 'Chile' })).status, 303)
  t.is((await visitor.get('/')).headers.get('location'), '/openings')
})

test('whoever leaves the partner’s directory is logged out at the next request', async t => {
  const board = await startBoard(t.teardown)
  const partner = await Visitor.loggedIn(board, noor)
  t.is((await partner.get('/openings')).status, 200)
  board.partners.remove(noor.id)
  t.is((await partner.get('/openings')).status, 303)
})

test('staff see all activity, and nobody else does', async t => {
  const board = await startBoard(t.teardown)
  const staff = await Visitor.loggedIn(board, sam)
  t.regex(await staff.page('/staff'), /applied for “Baker, early shift”/)
  for (const who of [marta, ines, robin, noor])
    t.is((await (await Visitor.loggedIn(board, who)).get('/staff')).status, 403, who.username)
  t.is((await new Visitor(board).get('/staff')).status, 303)
})

test('somebody sees their sessions, ends one, ends the others, ends all', async t => {
  const board = await startBoard(t.teardown)
  const [here, second, third] = [1, 2, 3].map(() => Visitor.loggedIn(board, ines))
  const [first, other, another] = [await here!, await second!, await third!]
  const idsOn = (page: string) => [...page.matchAll(/name="session" value="(\w+)"/g)].map(match => match[1]!)
  const page = await first.page('/account')
  const ids = idsOn(page)
  t.is(ids.length, 3)
  t.is(page.match(/This browser/g)?.length, 1)

  const foreign = await Visitor.loggedIn(board, marta)
  t.is((await foreign.post('/account/sessions/end', { session: ids[0]! })).status, 404)
  t.is((await first.get('/account')).status, 200)

  const ownId = idsOn(page.slice(page.indexOf('This browser')))[0]
  const [ended] = ids.filter(id => id !== ownId)
  t.is((await first.post('/account/sessions/end', { session: ended! })).status, 303)
  const left = [(await other.get('/account')).status, (await another.get('/account')).status]
  t.deepEqual(left.sort(), [200, 303])

  t.is((await first.post('/account/sessions/end-others')).status, 303)
  t.deepEqual([(await other.get('/account')).status, (await another.get('/account')).status], [303, 303])
  t.regex(await first.page('/account'), /All your other sessions have ended/)

  const again = await Visitor.loggedIn(board, ines)
  t.is((await first.post('/account/sessions/end-all')).status, 303)
  t.deepEqual([(await first.get('/account')).status, (await again.get('/account')).status], [303, 303])
  t.is((await foreign.get('/account')).status, 200)
})

test('a logout is final, also for a copy of the cookie', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.loggedIn(board, ines)
  const { cookie } = visitor
  const out = await visitor.post('/logout')
  t.deepEqual([out.status, out.headers.get('location')], [303, '/'])
  t.regex(await visitor.page('/'), /You are logged out/)
  const copy = new Visitor(board)
  copy.cookie = cookie
  t.is((await copy.get('/openings')).status, 303)
})

test('a new password and a deactivation end the sessions of that user', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.loggedIn(board, ines)
  const { id } = (await board.users.find({ username: 'ines' }))!
  await board.users.setPassword(id, 'another one, as long')
  t.is((await visitor.get('/openings')).status, 303)
  const again = await Visitor.loggedIn(board, { username: 'ines', password: 'another one, as long' })
  await board.users.deactivate(id)
  t.is((await again.get('/openings')).status, 303)
})

test('every page has its policy, its language and a stylesheet that browsers may keep', async t => {
  const board = await startBoard(t.teardown)
  const response = await (await Visitor.loggedIn(board, ines)).get('/openings')
  t.regex(response.headers.get('content-security-policy') ?? '', /default-src 'none'; style-src 'self'/)
  t.is(response.headers.get('x-content-type-options'), 'nosniff')
  t.is(response.headers.get('referrer-policy'), 'same-origin')
  t.regex(response.headers.get('cache-control') ?? '', /no-store/)
  const page = await response.text()
  t.regex(page, /<html lang="en">/)
  t.notRegex(page, /<script|<style| style="| on\w+="/)
  const [, path] = /rel="stylesheet" href="([^"]+)"/.exec(page)!
  const stylesheet = await new Visitor(board).get(path!)
  t.is(stylesheet.headers.get('content-type'), 'text/css; charset=utf-8')
  t.is(stylesheet.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  t.is(stylesheet.headers.get('vary'), null)
})

test('what is broken is a page with 503 or 500 that tells nothing, and the app hears of it', async t => {
  const board = await startBoard(t.teardown)
  const employee = await Visitor.loggedIn(board, ines)
  await board.database.schema.renameTable('openings', 'openings_away')
  const mistake = await employee.get('/openings')
  t.is(mistake.status, 500)
  const page = await mistake.text()
  t.regex(page, /Something went wrong/)
  t.notRegex(page, /no such table|openings_away/)
  t.is(board.errors.length, 1)

  await board.database.schema.renameTable('sessions', 'sessions_away')
  const unavailable = await employee.get('/account')
  t.is(unavailable.status, 503)
  t.truthy(unavailable.headers.get('retry-after'))
  t.regex(await unavailable.text(), /One moment, please/)
})
