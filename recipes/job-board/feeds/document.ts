import { Feed, type Item } from 'feed'
import { escapeHtml, type Html } from '../web/html.ts'
import type { FeedFormat, FeedInfo } from './catalogue.ts'

/** One entry of a feed. */
export interface Entry {
  /** What never changes: the kind of thing and its number, as `openings/3`. */
  readonly id: string
  readonly title: string
  /** Its page, as a path. */
  readonly path: string
  readonly author: string
  /** Epoch milliseconds. */
  readonly published: number
  readonly updated: number
  readonly content: Html
}

/** Who names the ids of the board's entries (RFC 4151). They must never change, so the address of the server is not part of them. */
const TAG = 'tag:job-board.example,2026:'
/** What an empty feed was last changed at. */
const BEGIN = Date.UTC(2026, 0, 1)
/** What XML 1.0 cannot hold (§2.2), not even escaped. */
const NOT_IN_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

/** A feed as text. The same entries make the same text, byte for byte. @param origin what the links begin with */
export function renderFeed(info: FeedInfo, entries: readonly Entry[], format: FeedFormat, origin: string): string {
  const address = `${origin}${info.path}.${format.extension}`
  const feed = new Feed({
    id: `${TAG}${info.path.slice(1)}`,
    title: `Job Board: ${info.title}`,
    description: info.description,
    link: `${origin}${info.page}`,
    feedLinks: { [format.extension]: address },
    language: 'en',
    author: { name: 'Job Board' },
    generator: 'koa-strata job board',
    updated: new Date(Math.max(BEGIN, ...entries.map(entry => entry.updated))),
  })
  for (const entry of entries) feed.addItem(itemOf(entry, format, origin))
  if (format.extension === 'json') return feed.json1()
  return format.extension === 'atom' ? feed.atom1() : feed.rss2()
}

function itemOf(entry: Entry, { extension }: FeedFormat, origin: string): Item {
  const item: Item = {
    id: TAG + entry.id,
    title: entry.title,
    link: origin + entry.path,
    content: fit(String(entry.content)),
    date: new Date(entry.updated),
    published: new Date(entry.published),
    author: [{ name: fit(entry.author) }],
  }
  // Atom's titles are HTML here (RFC 4287 §3.1.1.2), JSON Feed's are plain text.
  if (extension === 'atom') return { ...item, title: escapeHtml(fit(entry.title)) }
  if (extension === 'json') return item
  // RSS has plain titles in CDATA, which `]]>` would end, and addresses for authors; a name alone is a dc:creator.
  const { author: _, ...rest } = item
  const creator = { name: 'dc:creator', objects: { _text: fit(entry.author) } }
  return { ...rest, title: fit(entry.title).replaceAll(']]>', ']] >'), extensions: [creator] }
}

function fit(text: string): string {
  return text.replace(NOT_IN_XML, '\ufffd')
}
