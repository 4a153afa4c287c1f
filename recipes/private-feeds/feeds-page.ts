import type { FeedToken } from 'koa-strata/sql'
import { escaped, type Page } from './page.ts'
import { alert, day } from './pages.ts'

/** The page for feed readers. */
export interface FeedsView {
  readonly origin: string
  readonly username: string
  readonly tokens: readonly FeedToken[]
  /** The token that was made just now, whose text is shown this once. */
  readonly made?: FeedToken & { readonly token: string }
  /** Why the last one was not made. */
  readonly problem?: string
}

export function feedsPage({ origin, username, tokens, made, problem }: FeedsView): Page {
  return {
    title: 'Your feeds',
    feed: '/loans.atom',
    body: `<p>What you have borrowed, and when it is due back, for your feed reader:<br>
<code>${escaped(origin)}/loans.atom</code></p>
<p>It opens with your name and password. Better give a reader a token: it opens this feed and nothing else, and you can take it back.</p>
${made ? shownOnce(made, origin, username) : ''}
<h2>Tokens</h2>
${tokens.length === 0 ? '<p>You have none.</p>' : `<ul>\n${tokens.map(listed).join('\n')}\n</ul>`}
<h2>A new token</h2>
${alert(problem)}
<form method="post" action="/feeds/tokens">
<label>Which reader is it for? <input name="name" dir="auto" autocomplete="off" maxlength="150" required></label>
<button>Make a token</button>
</form>`,
  }
}

function shownOnce({ name, token }: FeedToken & { token: string }, origin: string, username: string): string {
  return `<section class="once" aria-label="The new token">
<p><strong>The token for <bdi>${escaped(name)}</bdi>. Copy it now: it is not shown again.</strong></p>
<p>As an address, for any reader: <code>${escaped(`${origin}/loans.atom?token=${token}`)}</code></p>
<p>Or as the password, beside the name <bdi>${escaped(username)}</bdi>: <code>${escaped(token)}</code></p>
</section>`
}

function listed({ id, name, createdAt, lastUsedAt }: FeedToken): string {
  const used = lastUsedAt ? `last used ${day(lastUsedAt.getTime())}` : 'never used'
  return `<li><div><bdi>${escaped(name)}</bdi><small>made ${day(createdAt.getTime())}, ${used}</small></div>
<form method="post" action="/feeds/tokens/${escaped(id)}/revoke"><button aria-label="Revoke ${escaped(name)}">Revoke</button></form></li>`
}
