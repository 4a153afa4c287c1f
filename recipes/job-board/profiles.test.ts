import test from 'ava'
import { partnerPeople } from './seed.ts'
import { startBoard, type TestBoard, Visitor } from './test-board.ts'

const noor = partnerPeople[0]!
const employee = { name: 'Robin Ó Briain', city: 'Corcaigh', skills: 'bread' }
const employer = { company: 'Robin & Co.', about: '' }

const summaries = (board: TestBoard) => board.database('activity').where({ subject: 'profile' }).pluck('summary')

test('of many forms of several kinds that somebody sends at once, one makes their profile', async t => {
  const board = await startBoard(t.teardown)
  const before = await summaries(board)
  const visitor = await Visitor.of(board, 'robin')
  const sends = Array.from({ length: 5 }, () => [
    visitor.post('/welcome/employee', employee),
    visitor.post('/welcome/employer', employer),
  ])
  for (const { status } of await Promise.all(sends.flat())) t.is(status, 303)
  const { key } = (await board.users.find({ username: 'robin' }))!
  const rows = await Promise.all(
    ['employers', 'employees', 'partners'].map(table => board.database(table).where({ user_key: key })),
  )
  t.is(rows.flat().length, 1)
  t.is((await summaries(board)).length, before.length + 1)
})

test('a profile takes the fields of its form, and nothing else that is sent', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.of(board, 'ines')
  const stranger = (await board.users.find({ username: 'oleksandr' }))!.key
  const before = await board.database('employees').where({ user_key: stranger })
  t.is((await visitor.post('/profile', { ...employee, user_key: stranger, company: 'Mine' })).status, 303)
  t.deepEqual(await board.database('employees').where({ user_key: stranger }), before)
  const { key } = (await board.users.find({ username: 'ines' }))!
  t.deepEqual(await board.database('employees').where({ user_key: key }), [{ user_key: key, ...employee }])
})

test('somebody removes their profile, what they sent stays, and they become something else', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.of(board, 'ines')
  t.regex(await visitor.page('/profile'), /I am no longer looking for work[\s\S]*action="\/profile\/remove"/)
  const removed = await visitor.post('/profile/remove')
  t.deepEqual([removed.status, removed.headers.get('location')], [303, '/welcome'])
  t.regex(await visitor.page('/welcome'), /It is removed/)
  t.is((await summaries(board)).at(-1), 'removed their profile (employee)')
  t.is((await visitor.get('/feeds/openings.atom')).status, 403)
  t.regex(await (await Visitor.of(board, 'marta')).page('/company/openings/1'), /Inès Faye/)
  t.is((await visitor.post('/profile/remove')).headers.get('location'), '/welcome')
  t.is((await visitor.post('/welcome/employer', employer)).status, 303)
  t.regex(await visitor.page('/profile'), /I am no longer hiring/)
})

test('a partner’s person, who has no record, removes their profile too', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.loggedIn(board, noor)
  t.is((await visitor.post('/profile/remove')).status, 303)
  t.is((await board.database('partners')).length, 0)
  t.is((await visitor.get('/welcome')).headers.get('location'), '/welcome/partner')
  t.regex(await visitor.page('/welcome/partner'), /It is removed/)
})

test('an employer who has posted openings stays one, and one who has ceased to be posts none', async t => {
  const board = await startBoard(t.teardown)
  const marta = await Visitor.of(board, 'marta')
  t.is((await marta.post('/profile/remove')).headers.get('location'), '/profile')
  t.regex(await marta.page('/profile'), /Nothing was removed[\s\S]*Bäckerei Lindenhof/)
  t.is((await summaries(board)).filter(summary => summary.startsWith('removed')).length, 0)

  const robin = await Visitor.of(board, 'robin')
  await robin.post('/welcome/employer', employer)
  t.is((await robin.post('/profile/remove')).headers.get('location'), '/welcome')
  // As a request does that began before.
  const { key } = (await board.users.find({ username: 'robin' }))!
  const late = board.board.openings.post(
    { user_key: key, ...employer },
    { title: 'T', place: 'P', salary: '', description: 'D' },
  )
  await t.throwsAsync(late, { code: 'PROFILE_UNKNOWN' })
  t.is((await board.board.openings.ownedBy(key)).length, 0)
})
