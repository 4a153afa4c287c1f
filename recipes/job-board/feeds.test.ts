import test, { type ExecutionContext } from 'ava'
import { type Element, xml2js } from 'xml-js'
import { demoAccounts, partnerPeople } from './seed.ts'
import { basic, type Credentials, startBoard, type TestBoard, Visitor } from './test-board.ts'

const { marta, elektra, ines, robin, sam } = demoAccounts
const noor = partnerPeople[0]!
const formats = [
  ['atom', 'application/atom+xml; charset=utf-8'],
  ['rss', 'application/rss+xml; charset=utf-8'],
  ['json', 'application/feed+json; charset=utf-8'],
] as const
const CHALLENGE = 'Basic realm="Job Board", charset="UTF-8"'

interface ReadFeed {
  titles: string[]
  ids: string[]
  links: string[]
  self: string
}

/** Reads a feed with a strict parser of XML, or of JSON. */
function readFeed(extension: string, text: string): ReadFeed {
  if (extension === 'json') {
    const feed = JSON.parse(text)
    const items: { title: string; id: string; url: string }[] = feed.items
    return {
      titles: items.map(item => item.title),
      ids: items.map(item => item.id),
      links: items.map(item => item.url),
      self: feed.feed_url,
    }
  }
  const [root] = (xml2js(text) as Element).elements!
  const feed = root!.name === 'rss' ? root!.elements![0]! : root!
  const all = (parent: Element, name: string) => (parent.elements ?? []).filter(element => element.name === name)
  const textOf = (parent: Element, name: string) =>
    (all(parent, name)[0]!.elements ?? []).map(part => part.text ?? part.cdata).join('')
  if (root!.name === 'rss') {
    const items = all(feed, 'item')
    return {
      titles: items.map(item => textOf(item, 'title')),
      ids: items.map(item => textOf(item, 'guid')),
      links: items.map(item => textOf(item, 'link')),
      self: String(all(feed, 'atom:link')[0]!.attributes!.href),
    }
  }
  const entries = all(feed, 'entry')
  return {
    titles: entries.map(entry => textOf(entry, 'title')),
    ids: entries.map(entry => textOf(entry, 'id')),
    links: entries.map(entry => String(all(entry, 'link')[0]!.attributes!.href)),
    self: String(all(feed, 'link').find(link => link.attributes!.rel === 'self')!.attributes!.href),
  }
}

async function feedOf(t: ExecutionContext, board: TestBoard, who: Credentials, path: string): Promise<ReadFeed> {
  const response = await new Visitor(board).get(path, basic(who))
  t.is(response.status, 200, path)
  return readFeed(path.split('.').at(-1)!, await response.text())
}

for (const [extension, type] of formats) {
  test(`the ${extension} feeds go to those whom they are for, by Basic and by session, and to nobody else`, async t => {
    const board = await startBoard(t.teardown)
    const readers: [string, Credentials[], Credentials[]][] = [
      ['openings', [ines, noor], [marta, robin, sam]],
      ['applications', [marta, elektra], [ines, robin, sam, noor]],
      ['activity', [sam], [marta, ines, robin, noor]],
    ]
    for (const [name, allowed, refused] of readers) {
      const path = `/feeds/${name}.${extension}`
      const stranger = await new Visitor(board).get(path)
      t.deepEqual([stranger.status, stranger.headers.get('www-authenticate')], [401, CHALLENGE])
      const wrong = await new Visitor(board).get(path, basic({ username: allowed[0]!.username, password: 'wrong ☃' }))
      t.deepEqual([wrong.status, wrong.headers.get('www-authenticate')], [401, CHALLENGE])
      for (const who of allowed) {
        const response = await new Visitor(board).get(path, basic(who))
        t.deepEqual([response.status, response.headers.get('content-type')], [200, type], `${path} ${who.username}`)
        t.is(response.headers.get('set-cookie'), null)
        t.regex(response.headers.get('cache-control') ?? '', /private/)
        t.regex(response.headers.get('vary') ?? '', /Authorization/)
        const bySession = await (await Visitor.loggedIn(board, who)).get(path)
        t.is(await bySession.text(), await response.text())
      }
      for (const who of refused) {
        t.is((await new Visitor(board).get(path, basic(who))).status, 403, `${path} ${who.username}`)
        t.is((await (await Visitor.loggedIn(board, who)).get(path)).status, 403, `${path} ${who.username}`)
      }
    }
  })

  test(`the ${extension} feed has stable ids, absolute links and its own address`, async t => {
    const board = await startBoard(t.teardown)
    const path = `/feeds/openings.${extension}`
    const feed = await feedOf(t, board, ines, path)
    t.is(feed.self, board.origin + path)
    const numbers = [4, 2, 1]
    t.deepEqual(
      feed.ids,
      numbers.map(id => `tag:job-board.example,2026:openings/${id}`),
    )
    t.deepEqual(
      feed.links,
      numbers.map(id => `${board.origin}/openings/${id}`),
    )
  })

  test(`the ${extension} feed of applications holds the employer's own alone`, async t => {
    const board = await startBoard(t.teardown)
    const path = `/feeds/applications.${extension}`
    const own = await feedOf(t, board, marta, path)
    t.deepEqual(own.titles, [
      'Bridge Talent recommends ليلى حداد for “Baker, early shift”',
      'Inès Faye applies for “Baker, early shift”',
    ])
    t.deepEqual((await feedOf(t, board, elektra, path)).ids, ['tag:job-board.example,2026:applications/2'])
  })

  test(`the ${extension} feed stays well-formed whatever people write`, async t => {
    const board = await startBoard(t.teardown)
    const title = ']]> a & b <i>c</i> ]]> "d" &amp; \u{1f5a8}'
    const employer = await Visitor.loggedIn(board, marta)
    const description = '<![CDATA[ ]]> ]]> </entry></item> & \u{10fffd} \t\r\n\r\n<!-- --> {{ }}'
    const posted = await employer.post('/company/openings', { title, place: '<&>"\'', salary: ']]>]]>', description })
    t.is(posted.status, 303)
    const feed = await feedOf(t, board, ines, `/feeds/openings.${extension}`)
    t.is(feed.ids.length, 4)
    const shown = { json: title, rss: title.replaceAll(']]>', ']] >') }[extension as string]
    if (shown) t.true(feed.titles[0]!.startsWith(shown), feed.titles[0])
    else t.true(feed.titles[0]!.startsWith(']]&gt; a &amp; b &lt;i&gt;c&lt;/i&gt; ]]&gt; &quot;d&quot; &amp;amp; '))
  })

  test(`the ${extension} feed that a reader has is not sent again, and a change is`, async t => {
    let clock = Date.UTC(2026, 6, 1)
    const board = await startBoard(t.teardown, () => clock)
    const reader = new Visitor(board)
    const path = `/feeds/openings.${extension}`
    const first = await reader.get(path, basic(ines))
    const etag = first.headers.get('etag')!
    const since = first.headers.get('last-modified')!
    t.regex(etag, /^"[\w-]{43}"$/)
    t.true(Date.parse(since) <= clock)

    const known = { 'if-none-match': etag, 'if-modified-since': since }
    const ways: Record<string, string>[] = [
      known,
      { 'if-none-match': `"x", W/${etag}` },
      { 'if-modified-since': since },
    ]
    for (const conditions of ways) {
      const again = await reader.get(path, { ...basic(ines), ...conditions })
      t.is(again.status, 304)
      t.is(await again.text(), '')
      t.is(again.headers.get('etag'), etag)
      t.regex(again.headers.get('cache-control') ?? '', /private/)
    }
    t.is((await reader.send(path, { method: 'HEAD', headers: basic(ines) })).headers.get('etag'), etag)
    t.is((await reader.get(path, known)).status, 401, 'whether it changed is for those who may read it')
    t.is((await reader.get(path, { ...basic(marta), ...known })).status, 403)

    clock += 5000
    const employer = await Visitor.loggedIn(board, marta)
    await employer.post('/company/openings/1/edit', { title: 'Baker', place: 'Leipzig', description: 'At night.' })
    const changed = await reader.get(path, { ...basic(ines), ...known })
    t.is(changed.status, 200)
    t.not(changed.headers.get('etag'), etag)
    t.is(changed.headers.get('last-modified'), null, 'another change may come within this second')
    t.is((await reader.get(path, { ...basic(ines), 'if-modified-since': since })).status, 200)
    clock += 1000
    const later = await reader.get(path, basic(ines))
    t.is(Date.parse(later.headers.get('last-modified')!), clock - 1000)
  })
}

test('pages of logged-in people name the feeds that are for them', async t => {
  const board = await startBoard(t.teardown)
  const feedsOn = (page: string) =>
    [...page.matchAll(/<link rel="alternate" type="([^"]+)" title="[^"]+" href="([^"]+)">/g)].map(match => match[2])
  const all = (name: string) => ['atom', 'rss', 'json'].map(extension => `/feeds/${name}.${extension}`)
  t.deepEqual(feedsOn(await new Visitor(board).page('/')), [])
  t.deepEqual(feedsOn(await (await Visitor.loggedIn(board, ines)).page('/openings')), all('openings'))
  t.deepEqual(feedsOn(await (await Visitor.loggedIn(board, noor)).page('/feeds')), all('openings'))
  t.deepEqual(feedsOn(await (await Visitor.loggedIn(board, marta)).page('/openings')), all('applications'))
  t.deepEqual(feedsOn(await (await Visitor.loggedIn(board, sam)).page('/staff')), all('activity'))
})

test('a refused reader gets a line of text, and a browser a page', async t => {
  const board = await startBoard(t.teardown)
  const reader = await new Visitor(board).get('/feeds/openings.atom')
  t.is(reader.headers.get('content-type'), 'text/plain; charset=utf-8')
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
  const browser = await new Visitor(board).get('/feeds/openings.atom', { accept })
  t.is(browser.status, 401)
  t.is(browser.headers.get('www-authenticate'), CHALLENGE)
  t.regex(await browser.text(), /<h1>Please log in<\/h1>/)
})

test('an empty feed is a feed', async t => {
  const board = await startBoard(t.teardown)
  for (const table of ['recommendations', 'applications']) await board.database(table).del()
  for (const [extension] of formats) {
    const feed = await feedOf(t, board, marta, `/feeds/applications.${extension}`)
    t.deepEqual(feed.ids, [])
  }
})
