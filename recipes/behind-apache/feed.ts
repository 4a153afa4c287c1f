import { Feed } from 'feed'
import type { ParameterizedContext } from 'koa'
import { url } from './address.ts'
import type { Published } from './notices.ts'
import { escaped } from './page.ts'

/** Answers with the notices in Atom (RFC 4287). Their ids are their addresses, whole ones: they are the same whoever asks, and however. */
export function answerFeed(ctx: ParameterizedContext, notices: readonly Published[]): void {
  const feed = new Feed({
    id: url('/notices.atom'),
    title: 'Harbour notices',
    link: url('/'),
    feedLinks: { atom: url('/notices.atom') },
    updated: new Date(notices[0]?.published ?? 0),
  })
  for (const { id, title, content, published } of notices) {
    const address = url(`/notices/${id}`)
    feed.addItem({ id: address, link: address, title: escaped(title), content, date: new Date(published) })
  }
  ctx.type = 'application/atom+xml; charset=utf-8'
  ctx.body = feed.atom1()
}
