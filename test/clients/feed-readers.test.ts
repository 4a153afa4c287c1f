import test from 'ava'
import { demoAccounts } from '../../recipes/job-board/seed.ts'
import { inMarkdown, MadePart } from '../readme-table.ts'
import { chromium } from './readers/chromium.ts'
import { curl, curlForChanges } from './readers/curl.ts'
import { liferea } from './readers/liferea.ts'
import { lynx } from './readers/lynx.ts'
import { newsboat } from './readers/newsboat.ts'
import { type Observed, observe } from './readers/observe.ts'
import type { FeedReader } from './readers/reader.ts'
import type { Row } from './readers/row.ts'
import { rss2email } from './readers/rss2email.ts'
import { rsstail, rsstailWithOption } from './readers/rsstail.ts'
import { sfeed, sfeedForChanges } from './readers/sfeed.ts'
import { wget, wgetForChanges } from './readers/wget.ts'

const README = new MadePart(
  new URL('../../recipes/private-feeds/README.md', import.meta.url),
  'feed readers',
  'test/clients/feed-readers.test.ts',
)

const HEADS = [
  'reader',
  'name and password',
  'sends them',
  'asks for changes only',
  'a balancer’s cookie',
  'three polls were answered with',
]

const OPENINGS = [
  'Baker, early shift, Leipzig',
  'Letterpress printer (Τυπογράφος), Θεσσαλονίκη',
  'Translator, Greek to English, remote',
]

/** In the order of the table. */
const readers = [
  newsboat,
  liferea,
  rss2email,
  sfeed,
  sfeedForChanges,
  rsstail,
  rsstailWithOption,
  curl,
  curlForChanges,
  wget,
  wgetForChanges,
  lynx,
  chromium,
]

const observations = new Map<FeedReader, Promise<Observed>>()

/** What is seen of a reader: looked at once, for its own test and for the table. */
function observed(reader: FeedReader): Promise<Observed> {
  const known = observations.get(reader) ?? observe(reader)
  observations.set(reader, known)
  return known
}

const reads = test.macro(async (t, reader: FeedReader, row: Row, path?: string) => {
  const seen = path === undefined ? await observed(reader) : await observe(reader, path)
  t.deepEqual(seen.row, row)
  t.deepEqual(seen.titles.before, OPENINGS)
  t.deepEqual(seen.titles.after, [...OPENINGS, 'Miller, Halle'].toSorted())
  t.deepEqual(new Set(seen.refused.statuses), new Set([401]), 'a wrong password')
  t.deepEqual(seen.refused.titles, [], 'reads nothing')
  t.deepEqual(seen.sessions, [], 'polls make no sessions')
  t.deepEqual(seen.serverCookies, [], 'and set no cookies')
  t.deepEqual(seen.strayCredentials, [], 'the password goes to the feed only')
})

test('the password that the readers here send is not ASCII', t => {
  t.regex(demoAccounts.ines.password, /[^\p{ASCII}]/u)
})

const newsboatRow: Row = {
  sends: 'at once',
  changes: 'by ETag and Last-Modified, from the 3rd poll',
  cookie: 'not kept',
  answers: '200, 200, 304',
}
test('newsboat reads a private feed', reads, newsboat, newsboatRow)
test('newsboat reads the feed as RSS likewise', reads, newsboat, newsboatRow, '/feeds/openings.rss')

test('liferea reads a private feed', reads, liferea, {
  sends: 'after a 401, later at once',
  changes: 'by ETag and Last-Modified, from the 2nd poll',
  cookie: 'kept',
  answers: '401 → 200, 304, 304',
})

test('rss2email reads a private feed', reads, rss2email, {
  sends: 'at once',
  changes: 'by ETag and Last-Modified, from the 2nd poll',
  cookie: 'not kept',
  answers: '200, 304, 304',
})

test('sfeed reads a private feed', reads, sfeed, {
  sends: 'at once',
  changes: 'no',
  cookie: 'not kept',
  answers: '200, 200, 200',
})

test('sfeed that is told to ask for changes reads a private feed', reads, sfeedForChanges, {
  sends: 'at once',
  changes: 'by ETag, from the 2nd poll',
  cookie: 'not kept',
  answers: '200, 304, 304',
})

test('rsstail reads a private feed whose address holds the password', reads, rsstail, {
  sends: 'at once',
  changes: 'by HEAD, from the 2nd poll',
  cookie: 'not kept',
  answers: 'HEAD 200 → 200, HEAD 200, HEAD 200',
})

test('rsstail reads a private feed by the option for a password', reads, rsstailWithOption, {
  sends: 'at once, but not with HEAD',
  changes: 'no',
  cookie: 'not kept',
  answers: 'HEAD 401 → 200, HEAD 401 → 200, HEAD 401 → 200',
})

test('curl reads a private feed', reads, curl, {
  sends: 'at once',
  changes: 'no',
  cookie: 'not kept',
  answers: '200, 200, 200',
})

test('curl that is told to ask for changes reads a private feed', reads, curlForChanges, {
  sends: 'at once',
  changes: 'by ETag, from the 2nd poll',
  cookie: 'not kept',
  answers: '200, 304, 304',
})

test('wget reads a private feed', reads, wget, {
  sends: 'after a 401, each time',
  changes: 'no',
  cookie: 'kept within a poll',
  answers: '401 → 200, 401 → 200, 401 → 200',
})

test('wget that is told to ask for changes reads a private feed', reads, wgetForChanges, {
  sends: 'after a 401, each time',
  changes: 'by Last-Modified, from the 2nd poll',
  cookie: 'kept within a poll',
  answers: '401 → 200, 401 → 304, 401 → 304',
})

test('lynx reads a private feed', reads, lynx, {
  sends: 'after a 401, each time',
  changes: 'no',
  cookie: 'not kept',
  answers: '401 → 200, 401 → 200, 401 → 200',
})

test('Chromium reads a private feed', reads, chromium, {
  sends: 'after a 401, each time',
  changes: 'by ETag and Last-Modified, from the 2nd poll',
  cookie: 'kept',
  answers: '401 → 200, 401 → 304, 401 → 304',
})

test('the table of the readers in the recipe says what is seen here', async t => {
  const rows = await Promise.all(readers.map(async reader => [reader, (await observed(reader)).row] as const))
  const table = [
    HEADS,
    ...rows.map(([{ name, secret }, { sends, changes, cookie, answers }]) => [
      name,
      secret,
      sends,
      changes,
      cookie,
      answers,
    ]),
  ]
  const made = inMarkdown(table)
  if (process.env.STRATA_UPDATE === '1') await README.write(made)
  t.is(await README.read(), made, 'STRATA_UPDATE=1 writes what is seen.')
})
