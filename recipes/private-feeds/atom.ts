import { createHash } from 'node:crypto'
import { Feed } from 'feed'
import type { ParameterizedContext } from 'koa'

/** One entry of a feed. */
export interface Entry {
  /** What never changes, as `tools/3`. */
  readonly id: string
  readonly title: string
  /** In epoch milliseconds. */
  readonly at: number
}

/** What a feed is. */
export interface FeedInfo {
  readonly title: string
  /** Its own address. */
  readonly address: string
  /** The page that shows the same. */
  readonly page: string
  readonly entries: readonly Entry[]
}

/** Who names the ids of the entries (RFC 4151). They never change, so the address of the server is not part of them. */
const TAG = 'tag:tool-library.example,2026:'
/** What an empty feed was last changed at. */
const BEGIN = Date.UTC(2026, 0, 1)

/** Answers with a feed in Atom, or with 304 where the client has it. The same entries make the same text, and so the same ETag. */
export function answerFeed(ctx: ParameterizedContext, { title, address, page, entries }: FeedInfo): void {
  const updated = new Date(Math.max(BEGIN, ...entries.map(({ at }) => at)))
  const feed = new Feed({
    id: TAG + new URL(address).pathname,
    title,
    link: page,
    feedLinks: { atom: address },
    updated,
  })
  for (const { id, title, at } of entries)
    feed.addItem({ id: TAG + id, title: escaped(title), link: page, date: new Date(at) })
  const text = feed.atom1()
  ctx.type = 'application/atom+xml; charset=utf-8'
  ctx.body = text
  ctx.etag = createHash('sha256').update(text).digest('base64url')
  if (ctx.fresh) ctx.status = 304
}

/** Atom's titles are HTML here (RFC 4287 §3.1.1.2). */
function escaped(text: string): string {
  return text.replace(/[&<>]/g, character => `&#${character.charCodeAt(0)};`)
}
