import { type FeedInfo, feedFormats } from '../feeds/catalogue.ts'
import { html } from '../web/html.ts'
import type { Page } from '../web/page.ts'

/** Which feeds somebody has, and how to read them. @param origin what the addresses begin with */
export function feedsPage(feeds: readonly FeedInfo[], username: string, origin: string): Page {
  return {
    title: 'Feeds',
    body: html`<h1>Feeds</h1>
<p class="lead">Follow the board in your feed reader. The addresses are private: give the reader your name, <strong><bdi>${username}</bdi></strong>, and your password.</p>
${feeds.length === 0 && html`<p class="empty">There are no feeds for you yet. <a href="/welcome">Set up your profile</a> first.</p>`}
${feeds.map(
  ({ path, title, description }) => html`<section class="panel feed" aria-labelledby="feed-${title}">
<h2 id="feed-${title}">${title}</h2>
<p>${description}</p>
<dl class="addresses">
${feedFormats.map(
  ({ name, extension }) =>
    html`<div><dt>${name}</dt><dd><a href="${path}.${extension}">${origin}${path}.${extension}</a></dd></div>`,
)}
</dl>
</section>`,
)}`,
  }
}
