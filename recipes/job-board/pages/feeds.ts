import { type FeedInfo, feedFormats } from '../feeds/catalogue.ts'
import { html } from '../web/html.ts'
import type { Page } from '../web/page.ts'

/** Which feeds somebody has, and how to read them. @param origin what the addresses begin with */
export function feedsPage(feeds: readonly FeedInfo[], username: string, origin: string): Page {
  return {
    title: 'Feeds',
    body: html`<h1>Feeds</h1>
<p class="lead">Follow the board in your feed reader. The addresses are private, so the reader has to show that it reads for you, in one of two ways:</p>
<ul class="cards">
<li><h2>With a token</h2>
<p>A token opens your feeds and nothing else. It goes into the address, or in the place of the password. Give each reader one of its own: you see when it was last used, and end it alone.</p>
<p class="actions"><a class="button" href="/feeds/tokens">Your tokens</a></p></li>
<li><h2>With your password</h2>
<p>Your name, <strong><bdi>${username}</bdi></strong>, and the password that you log in with. Whoever sees what the reader has kept can log in as you, so do this only where nobody else can, on a computer of your own.</p></li>
</ul>
${feeds.length === 0 && html`<p class="empty">There are no feeds for you yet. <a href="/welcome">Set up your profile</a> first.</p>`}
${feeds.map(
  ({ name, path, title, description }) => html`<section class="panel feed" aria-labelledby="feed-${name}">
<h2 id="feed-${name}">${title}</h2>
<p>${description}</p>
<dl class="addresses">
${feedFormats.map(
  ({ name: format, extension }) =>
    html`<div><dt>${format}</dt><dd><a href="${path}.${extension}">${origin}${path}.${extension}</a></dd></div>`,
)}
</dl>
</section>`,
)}`,
  }
}
