import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import test from 'ava'
import type { StrataEvents } from 'koa-strata'
import { MOST_TOKENS, makeToken } from './feeds/tokens.ts'
import { partnerPeople } from './seed.ts'
import { basic, startBoard, type TestBoard, Visitor } from './test-board.ts'

const noor = partnerPeople[0]!
const CHALLENGE = 'Basic realm="Job Board", charset="UTF-8"'
const ATOM = '/feeds/openings.atom'

async function userOf(board: TestBoard, username: string) {
  return (await board.users.find({ username })) ?? Promise.reject(new Error(`There is no ${username}.`))
}

/** Makes a token by the form, and answers its text. */
async function make(visitor: Visitor, name: string, feeds: Record<string, string> = { scope: 'all' }): Promise<string> {
  const response = await visitor.post('/feeds/tokens', { name, ...feeds })
  const page = await response.text()
  return /value="(feed_[\w-]{43})"/.exec(page)?.[1] ?? Promise.reject(new Error(`${response.status}: ${page}`))
}

/** The ids of the tokens that a page lists, by their names. */
function idsOn(page: string): Record<string, string> {
  const rows = page.matchAll(/<bdi>([^<]+)<\/bdi><\/td>(?:(?!<\/tr>)[\s\S])*name="token" value="(\d+)"/g)
  return Object.fromEntries([...rows].map(([, name, id]) => [name, id]))
}

/** How a poll with a token in the address is answered. */
async function poll(board: TestBoard, token: string, path: string = ATOM): Promise<number> {
  return (await new Visitor(board).get(`${path}?token=${token}`)).status
}

test('a new token is shown once, with addresses that a reader takes as they are, and works as the password too', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.of(board, 'ines')
  const made = await visitor.post('/feeds/tokens', { name: 'Newsboat <laptop>', scope: 'all' })
  t.is(made.status, 200)
  t.regex(made.headers.get('cache-control') ?? '', /no-store/)
  const page = await made.text()
  t.regex(page, /Newsboat &lt;laptop&gt;/)
  const addresses = [...page.matchAll(/value="(http[^"]+)"/g)].map(match => match[1]!)
  t.deepEqual(
    addresses.map(address => address.replace(/feed_.*/, '…')),
    ['atom', 'rss', 'json'].map(format => `${board.origin}/feeds/openings.${format}?token=…`),
  )
  for (const address of addresses) {
    const polled = await fetch(address)
    const bySession = await visitor.page(new URL(address).pathname)
    t.is(await polled.text(), bySession)
    t.notRegex(bySession, /token/)
    t.is(polled.headers.get('set-cookie'), null)
    t.is(polled.headers.get('referrer-policy'), 'no-referrer')
    const etag = polled.headers.get('etag')!
    t.is((await fetch(address, { headers: { 'if-none-match': etag } })).status, 304)
  }
  const [token = ''] = /feed_[\w-]{43}/.exec(page) ?? []
  for (const username of ['ines', 'ines@people.example', 'INES'])
    t.is((await new Visitor(board).get(ATOM, basic({ username, password: token }))).status, 200, username)
  const byAnother = await new Visitor(board).get(ATOM, basic({ username: 'marta', password: token }))
  t.deepEqual([byAnother.status, byAnother.headers.get('www-authenticate')], [401, CHALLENGE])
})

test('B6: the text of a token is in no table, header, event, error or later page', async t => {
  const events: StrataEvents[keyof StrataEvents][] = []
  const listener = (message: unknown) => events.push(message as StrataEvents[keyof StrataEvents])
  const names = ['login', 'logout', 'login-failed', 'throttled', 'session-gone', 'store-error', 'backend-error']
  for (const name of names) subscribe(`koa-strata:${name}`, listener)
  t.teardown(() => {
    for (const name of names) unsubscribe(`koa-strata:${name}`, listener)
  })
  const board = await startBoard(t.teardown)
  const addresses: string[] = []
  board.server.on('request', (request, response) => {
    response.once('finish', () => addresses.push(request.url ?? ''))
  })
  const visitor = await Visitor.of(board, 'ines')
  const made = await visitor.post('/feeds/tokens', { name: 'Reader', scope: 'all' })
  const [token = ''] = /feed_[\w-]{43}/.exec(await made.text()) ?? []
  t.is(token.length, 48)
  const told = [inspect([...made.headers])]
  const answered = async (response: Response) => told.push(await response.text(), inspect([...response.headers]))
  await answered(await visitor.get('/feeds/tokens'))
  await answered(await new Visitor(board).get(`${ATOM}?token=${token}`))
  await answered(await new Visitor(board).get(`/feeds/applications.atom?token=${token}`, { accept: 'text/html' }))
  await visitor.post('/feeds/tokens/end-all')
  await answered(await new Visitor(board).get(`${ATOM}?token=${token}`, { accept: 'text/html' }))
  await board.database.schema.renameTable('openings', 'openings_away')
  const kept = await board.tokens.create(await userOf(board, 'ines'), { name: 'Kept' })
  await answered(await new Visitor(board).get(`${ATOM}?token=${kept.token}`))
  t.is(board.errors.length, 1)
  t.true(events.some(event => 'reason' in event && event.reason === 'unknown'))
  const tables = await board.database('sqlite_master').where({ type: 'table' }).pluck('name')
  t.true(tables.includes('feed_tokens') && tables.includes('sessions'))
  for (const table of tables) told.push(JSON.stringify(await board.database(table)))
  told.push(inspect(events, { depth: 9 }), inspect(board.errors, { depth: 9 }))
  for (const text of told) t.false(text.includes(token) || text.includes(kept.token), text)
  t.is(addresses.filter(address => address === ATOM).length, 3, 'what a log writes of a request')
  t.false(addresses.some(address => address.includes('feed_')))
})

test('the list says what each token reads, when it was made, and when it was used last', async t => {
  let clock = Date.UTC(2026, 4, 3, 9, 30)
  const board = await startBoard(t.teardown, () => clock)
  await board.users.grant((await userOf(board, 'marta')).id, 'reports.read')
  const visitor = await Visitor.of(board, 'marta')
  t.regex(await visitor.page('/feeds/tokens'), /You have no tokens/)
  const all = await make(visitor, 'Everything')
  clock += 86_400_000
  await make(visitor, 'قارئ', { scope: 'some', 'feed-activity': 'yes' })
  clock += 3_600_000
  t.is(await poll(board, all, '/feeds/applications.rss'), 200)
  const page = await visitor.page('/feeds/tokens')
  const cells = [...page.matchAll(/<td[^>]*>([\s\S]*?)<\/td>/g)].map(match => match[1]!.replace(/<[^>]*>/g, '').trim())
  t.deepEqual(cells, [
    ...['قارئ', 'Activity', '4 May 2026, 09:30 UTC', 'never', 'End'],
    ...['Everything', 'all', '3 May 2026, 09:30 UTC', '4 May 2026, 10:30 UTC', 'End'],
  ])
})

test('B6: a token for some feeds opens these and no others', async t => {
  const board = await startBoard(t.teardown)
  await board.users.grant((await userOf(board, 'marta')).id, 'reports.read')
  const visitor = await Visitor.of(board, 'marta')
  const made = await visitor.post('/feeds/tokens', { name: 'Staff room', scope: 'some', 'feed-activity': 'yes' })
  const page = await made.text()
  const token = /feed_[\w-]{43}/.exec(page)![0]
  t.regex(page, /feeds\/activity\.atom\?token/)
  t.notRegex(page, /applications\.\w+\?token/)
  t.is(await poll(board, token, '/feeds/activity.atom'), 200)
  const other = await new Visitor(board).get(`/feeds/applications.atom?token=${token}`)
  t.deepEqual([other.status, other.headers.get('www-authenticate')], [403, null])
  t.is(
    (await new Visitor(board).get('/feeds/applications.json', basic({ username: 'marta', password: token }))).status,
    403,
  )
})

test('a token for all feeds opens what its owner may read at that time, and no page', async t => {
  const board = await startBoard(t.teardown)
  const marta = await userOf(board, 'marta')
  const token = await make(await Visitor.of(board, 'marta'), 'Reader')
  t.deepEqual([await poll(board, token), await poll(board, token, '/feeds/activity.atom')], [403, 403])
  await board.users.grant(marta.id, 'reports.read')
  t.is(await poll(board, token, '/feeds/activity.atom'), 200)
  await board.users.revoke(marta.id, 'reports.read')
  t.is(await poll(board, token, '/feeds/activity.atom'), 403)
  for (const path of ['/company', '/account', '/feeds', '/feeds/tokens'])
    t.is(
      (await new Visitor(board).get(`${path}?token=${token}`, basic({ username: 'marta', password: token }))).status,
      303,
      path,
    )
})

test('B6: somebody ends one of their tokens or all, at once, and those of others are not there', async t => {
  const board = await startBoard(t.teardown)
  const [ines, oleksandr] = [await Visitor.of(board, 'ines'), await Visitor.of(board, 'oleksandr')]
  const [first, second] = [await make(ines, 'First'), await make(ines, 'Second')]
  const foreign = await make(oleksandr, 'Foreign')
  const ids = idsOn(await ines.page('/feeds/tokens'))
  t.deepEqual(Object.keys(ids), ['Second', 'First'])
  const polls = () => Promise.all([first, second, foreign].map(token => poll(board, token)))

  const refused = await oleksandr.post('/feeds/tokens/end', { token: ids.First! })
  t.is(refused.status, 404)
  t.deepEqual(await polls(), [200, 200, 200])

  const ended = await ines.post('/feeds/tokens/end', { token: ids.First! })
  t.deepEqual([ended.status, ended.headers.get('location')], [303, '/feeds/tokens'])
  t.deepEqual(await polls(), [401, 200, 200])
  t.regex(await ines.page('/feeds/tokens'), /That token has ended/)
  t.is((await ines.post('/feeds/tokens/end', { token: ids.First! })).status, 404)

  t.is((await ines.post('/feeds/tokens/end-all')).status, 303)
  t.deepEqual(await polls(), [401, 401, 200])
  t.regex(await ines.page('/feeds/tokens'), /All your tokens have ended[\s\S]*You have no tokens/)
})

test('nobody has more than twenty tokens, however many are asked for at once', async t => {
  const board = await startBoard(t.teardown)
  const owner = await userOf(board, 'ines')
  const made = await Promise.all(
    Array.from({ length: MOST_TOKENS + 5 }, () => makeToken(board.database, owner, { name: 'Reader' }, Date.now)),
  )
  t.is(made.filter(token => token !== null).length, MOST_TOKENS)
  t.is((await board.tokens.list(owner)).length, MOST_TOKENS)
  const visitor = await Visitor.of(board, 'ines')
  const refused = await visitor.post('/feeds/tokens', { name: 'One more', scope: 'all' })
  t.is(refused.status, 409)
  t.regex(await refused.text(), /role="alert">20 tokens are as many as one person may have/)
  t.truthy(await make(await Visitor.of(board, 'oleksandr'), 'Somebody else’s'))
  await visitor.post('/feeds/tokens/end', { token: made.find(token => token !== null)!.id })
  t.truthy(await make(visitor, 'In its place'))
})

test('a partner’s person, who has no record, has tokens, until the partner’s directory knows them no more', async t => {
  const board = await startBoard(t.teardown)
  const token = await make(await Visitor.loggedIn(board, noor), 'Phone')
  t.is(await board.users.find({ username: noor.username }), null)
  t.is(await poll(board, token), 200)
  t.is((await new Visitor(board).get(ATOM, basic({ username: noor.email, password: token }))).status, 200)
  board.partners.remove(noor.id)
  t.is(await poll(board, token), 401)
})

test('a token outlives a logout and a new password, and not its owner’s account', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.of(board, 'ines')
  const token = await make(visitor, 'Reader')
  await visitor.post('/account/sessions/end-all')
  const { id } = await userOf(board, 'ines')
  await board.users.setPassword(id, 'another one, as long')
  t.is(await poll(board, token), 200)
  await board.users.deactivate(id)
  t.is(await poll(board, token), 401)
})

test('a form with mistakes makes no token, and comes back with what was written and ticked', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.of(board, 'ines')
  const unnamed = await visitor.post('/feeds/tokens', { name: ' ', scope: 'some', 'feed-openings': 'yes' })
  t.is(unnamed.status, 422)
  const page = await unnamed.text()
  t.regex(page, /<title>Error: Tokens for feed readers/)
  t.regex(page, /id="name-error">Write what it is for/)
  t.regex(page, /value="some" checked/)
  t.regex(page, /name="feed-openings" value="yes" checked/)
  const unticked = await visitor.post('/feeds/tokens', { name: 'قارئ', scope: 'some' })
  t.is(unticked.status, 422)
  const again = await unticked.text()
  t.regex(again, /role="alert">[\s\S]*<a href="#feeds">What may it read\?<\/a>/)
  t.regex(again, /id="feeds-error">Choose at least one of your feeds/)
  t.regex(again, /value="قارئ"/)
  t.is((await board.database('feed_tokens')).length, 0)
})

test('somebody without feeds is told so, and gets no token', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.of(board, 'robin')
  const page = await visitor.page('/feeds/tokens')
  t.regex(page, /There are no feeds for you yet/)
  t.notRegex(page, /name="scope"/)
  t.is((await visitor.post('/feeds/tokens', { name: 'Reader', scope: 'all' })).status, 403)
  t.is((await board.database('feed_tokens')).length, 0)
})

test('the pages of feeds and of the account lead to the tokens', async t => {
  const board = await startBoard(t.teardown)
  const visitor = await Visitor.of(board, 'ines')
  for (const path of ['/feeds', '/account']) t.regex(await visitor.page(path), /href="\/feeds\/tokens"/, path)
  t.regex(await visitor.page('/feeds/tokens'), /<a href="\/feeds" aria-current="true">/)
})
