import { createHash } from 'node:crypto'
import { Feed } from 'feed'
import type { ParameterizedContext } from 'koa'
import type { Opening } from './openings.ts'

/** What a feed is. */
export interface FeedInfo {
  readonly title: string
  /** Its own address. */
  readonly address: string
  /** The page that shows the same. */
  readonly page: string
  readonly openings: readonly Opening[]
}

/** Who names the ids of the entries (RFC 4151). They never change, so the address of the server is not part of them. */
const TAG = 'tag:jobs.example,2026:'
/** What an empty feed was last changed at. */
const BEGIN = Date.UTC(2026, 0, 1)

/** Answers with a feed in Atom, or with 304 where the client has it. The same openings make the same text, and so the same ETag. */
export function answerFeed(ctx: ParameterizedContext, { title, address, page, openings }: FeedInfo): void {
  const feed = new Feed({
    id: TAG + new URL(address).pathname,
    title,
    link: page,
    feedLinks: { atom: address },
    updated: new Date(Math.max(BEGIN, ...openings.map(({ posted }) => posted.getTime()))),
  })
  for (const { id, title, place, posted } of openings)
    feed.addItem({ id: `${TAG}openings/${id}`, title: escaped(`${title}, ${place}`), link: page, date: posted })
  const text = feed.atom1()
  ctx.type = 'application/atom+xml; charset=utf-8'
  // A reader asks each time, and is told by 304 that it has the newest: `private` is said by the guard.
  ctx.set('Cache-Control', 'no-cache')
  ctx.body = text
  ctx.etag = createHash('sha256').update(text).digest('base64url')
  if (ctx.fresh) ctx.status = 304
}

/** Atom's titles are HTML here (RFC 4287 §3.1.1.2). */
function escaped(text: string): string {
  return text.replace(/[&<>]/g, character => `&#${character.charCodeAt(0)};`)
}
