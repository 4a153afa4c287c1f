import test from 'ava'
import { atHost } from 'koa-strata/sharing'
import { EDITORS, READERS } from './example.ts'
import { Browser, startMagazine } from './test-magazine.ts'

test('X4: Who logs in at the publisher is known to the magazine, and a logout at either is one at both.', async t => {
  const { magazine, publisher, errors } = await startMagazine(t)
  const ines = new Browser()
  t.is((await ines.ask(`${magazine}/articles/1`)).location, '/login?next=%2Farticles%2F1')
  t.is(await ines.logIn(publisher, 'ines', READERS.ines!), 303)
  t.is((await ines.ask(`${magazine}/`)).who, 'ines')
  t.regex((await ines.ask(`${magazine}/articles/1`)).text, /Twice a day the water leaves/)

  await ines.ask(`${magazine}/logout`, {})
  t.is((await ines.ask(`${publisher}/`)).who, null)
  t.is(await ines.logIn(magazine, 'ines', READERS.ines!), 303)
  t.is((await ines.ask(`${publisher}/`)).who, 'ines')
  await ines.ask(`${publisher}/logout`, {})
  t.is((await ines.ask(`${magazine}/articles/1`)).status, 303)
  t.deepEqual(errors, [])
})

test('X6: One browser is a reader and an editor at once, and logs in and out as either without the other.', async t => {
  const { magazine, publisher } = await startMagazine(t)
  const admin = `${magazine}/admin`
  const browser = new Browser()
  const who = async () => [(await browser.ask(`${magazine}/`)).who, (await browser.ask(`${admin}/login`)).who]
  await browser.logIn(admin, 'grace', EDITORS.grace!)
  t.deepEqual(await who(), [null, 'grace'])
  await browser.logIn(magazine, 'ada', READERS.ada!)
  t.deepEqual(await who(), ['ada', 'grace'])
  t.deepEqual([...browser.cookies.keys()].sort(), ['desk', 'desk-device', 'sid', 'sid-device'])
  await browser.ask(`${admin}/logout`, {})
  t.deepEqual(await who(), ['ada', null])
  await browser.logIn(admin, 'grace', EDITORS.grace!)
  await browser.ask(`${publisher}/logout`, {})
  t.deepEqual(await who(), [null, 'grace'])
})

test('X3: A reader is no editor and an editor no reader, whatever their names.', async t => {
  const { magazine, publisher } = await startMagazine(t)
  const [reader, editor] = [new Browser(), new Browser()]
  for (const [place, password] of [
    [`${magazine}/admin`, READERS.ada!],
    [magazine, EDITORS.ada!],
    [publisher, EDITORS.ada!],
  ] as const)
    t.is(await reader.logIn(place, 'ada', password), 401)
  t.is(await editor.logIn(magazine, 'grace', EDITORS.grace!), 401)
  t.is(await reader.logIn(magazine, 'ada', READERS.ada!), 303)
  t.is((await reader.ask(`${magazine}/admin`)).location, '/admin/login?next=%2Fadmin')
  t.is(await editor.logIn(`${magazine}/admin`, 'ada', EDITORS.ada!), 303)
  t.is((await editor.ask(`${magazine}/articles/1`)).location, '/login?next=%2Farticles%2F1')
})

test('Editors publish what readers then see, and take it back; nobody else does.', async t => {
  const { magazine } = await startMagazine(t)
  const admin = `${magazine}/admin`
  const [grace, ines] = [new Browser(), new Browser()]
  await grace.logIn(admin, 'grace', EDITORS.grace!)
  await ines.logIn(magazine, 'ines', READERS.ines!)
  const isRead = async () => (await ines.ask(`${magazine}/articles/3`)).status
  t.is(await isRead(), 404)
  for (const path of ['/admin/articles/3/publish', '/ADMIN/articles/3/publish', '/articles/3/publish'])
    t.true([401, 404].includes((await ines.ask(magazine + path, {})).status), path)
  t.is(await isRead(), 404)
  const desk = (await grace.ask(`${admin}/`)).text
  t.regex(desk, /Lamps &#38; lenses<small>Draft/)
  const action = /action="(\/admin\/articles\/3\/publish)"/.exec(desk)![1]!
  t.is((await grace.ask(magazine + action, {})).location, '/admin/')
  t.is(await isRead(), 200)
  t.is((await grace.ask(`${admin}/articles/3/withdraw`, {})).status, 303)
  t.is(await isRead(), 404)
  t.is((await grace.ask(`${admin}/articles/99/publish`, {})).status, 404)
})

test('While the publisher’s database is broken its readers get 503, everybody else and the editors go on, and afterwards all are known again.', async t => {
  const { magazine, shared } = await startMagazine(t)
  const [ines, grace] = [new Browser(), new Browser()]
  await ines.logIn(magazine, 'ines', READERS.ines!)
  await grace.logIn(`${magazine}/admin`, 'grace', EDITORS.grace!)
  await shared.schema.renameTable('sessions', 'away')
  t.is((await ines.ask(`${magazine}/articles/1`)).status, 503)
  t.is((await grace.ask(`${magazine}/admin/`)).who, 'grace')
  t.is((await grace.ask(`${magazine}/`)).status, 200)
  await shared.schema.renameTable('away', 'sessions')
  t.is((await ines.ask(`${magazine}/articles/1`)).who, 'ines')
})

test('A login goes on to the page that was asked for, in its own realm; a wrong one says so there.', async t => {
  const { magazine } = await startMagazine(t)
  const browser = new Browser()
  const form = (next: string) => ({ username: 'grace', password: EDITORS.grace!, next })
  const wrong = await browser.ask(`${magazine}/admin/login`, { ...form('/admin/'), password: 'wrong' })
  t.is(wrong.status, 401)
  t.regex(wrong.text, /role="alert"[\s\S]*action="\/admin\/login"/)
  t.is((await browser.ask(`${magazine}/admin/login`, form('/admin/?x'))).location, '/admin/?x')
  t.is((await browser.ask(`${magazine}/admin/login`, form('//evil.example/'))).location, '/admin/')
  const missing = await browser.ask(`${magazine}/admin/nothing`)
  t.is(missing.status, 404)
  t.is(missing.who, 'grace')
  t.regex(missing.text, /· Tideline desk<\/title>/)
  t.regex((await browser.ask(`${magazine}/nothing`)).text, /· Tideline<\/title>/)
})

test('X6: The editors’ pages can have a host of their own: then no page of theirs is at another one.', async t => {
  const host = 'admin.tideline.example'
  const { magazine } = await startMagazine(t, { admin: { match: atHost(host), prefix: '' } })
  const browser = new Browser()
  const who = async () => [
    (await browser.ask(`${magazine}/`)).who,
    (await browser.ask(`${magazine}/login`, undefined, host)).who,
  ]
  t.is((await browser.ask(`${magazine}/`, undefined, host)).location, '/login?next=%2F')
  t.is(await browser.logIn(magazine, 'grace', EDITORS.grace!, host), 303)
  t.is(await browser.logIn(magazine, 'ines', READERS.ines!), 303)
  t.deepEqual(await who(), ['ines', 'grace'])
  t.regex((await browser.ask(`${magazine}/`, undefined, host)).text, /action="\/articles\/3\/publish"/)
  t.is((await browser.ask(`${magazine}/articles/3/publish`, {})).status, 404)
  t.is((await browser.ask(`${magazine}/articles/3/publish`, {}, `${host.toUpperCase()}:8080`)).status, 303)
  t.is((await browser.ask(`${magazine}/articles/3`)).status, 200)
  await browser.ask(`${magazine}/logout`, {}, host)
  t.deepEqual(await who(), ['ines', null])
})
