import type { FeedToken } from 'koa-strata/sql'
import { type FeedInfo, feedFormats } from '../feeds/catalogue.ts'
import { type Html, html } from '../web/html.ts'
import type { Page } from '../web/page.ts'

/**
 * A token that has just been made: the only page that ever shows its text.
 * @param feeds those that its owner may read @param origin what the addresses begin with
 */
export function newTokenPage(
  { name, token, feeds: own }: FeedToken & { readonly token: string },
  feeds: readonly FeedInfo[],
  username: string,
  origin: string,
): Page {
  const readable = feeds.filter(feed => own === null || own.includes(feed.name))
  return {
    title: 'Your new token',
    body: html`<p class="kicker"><a href="/feeds/tokens">Tokens for feed readers</a></p>
<h1>Your new token</h1>
<p class="message" role="status">The token for <strong><bdi>${name}</bdi></strong> is made. It stands on this page and will not be shown again: give it to your reader now.</p>
<section class="panel" aria-labelledby="address">
<h2 id="address">Paste an address into the reader</h2>
<p>Choose the format that your reader likes; most take each of them. It will not ask for a password.</p>
${readable.map(
  ({ name: feed, path, title }) => html`<fieldset class="copies">
<legend>${title}</legend>
${feedFormats.map(({ name: format, extension }) =>
  copyField(`${feed}-${extension}`, format, `${origin}${path}.${extension}?token=${token}`),
)}
</fieldset>`,
)}
</section>
<section class="panel" aria-labelledby="password">
<h2 id="password">Or let the reader ask for a password</h2>
<p>Give it an address from <a href="/feeds">your feeds</a>. When it asks who you are, enter your name, and the token in the place of your password.</p>
<div class="copies">
${copyField('username', 'Name', username)}
${copyField('token', 'Password', token)}
</div>
</section>
<p class="lead">Whoever has the token can read these feeds as you, and can do nothing else. If a reader or a device is lost, <a href="/feeds/tokens">end its token</a>.</p>`,
  }
}

/** A field to copy from: reached by the keyboard, and selected by it as a whole. */
function copyField(id: string, label: string, value: string): Html {
  return html`<div class="copied">
<label for="${id}">${label}</label>
<input type="text" id="${id}" value="${value}" readonly autocomplete="off" spellcheck="false" dir="auto">
</div>`
}
