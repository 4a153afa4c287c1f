import type { ListedSession } from 'koa-strata'
import type { BoardUser } from '../identity.ts'
import { html } from '../web/html.ts'
import { moment } from '../web/moments.ts'
import type { Page } from '../web/page.ts'
import { table } from '../web/table.ts'

/** Who somebody is, and where they are logged in. */
export function accountPage(user: BoardUser, sessions: readonly ListedSession[]): Page {
  const rows = sessions.map(({ id, createdAt, lastSeenAt, isCurrent }) => [
    isCurrent ? html`<strong>This browser</strong>` : 'Another browser',
    moment(createdAt.getTime()),
    moment(lastSeenAt.getTime()),
    html`<form method="post" action="/account/sessions/end"><input type="hidden" name="session" value="${id}"><button class="quiet"
 aria-label="End the session of ${isCurrent ? 'this browser' : `another browser, since ${createdAt.toISOString()}`}">End</button></form>`,
  ])
  return {
    title: 'Your account',
    body: html`<h1>Your account</h1>
<dl class="facts-list">
<div><dt>Name</dt><dd><bdi>${user.username}</bdi></dd></div>
<div><dt>E-mail address</dt><dd>${user.email ?? 'none'}</dd></div>
<div><dt>Account with</dt><dd>${user.backend === 'partner' ? 'our partner, who vouches for you' : 'this board'}</dd></div>
<div><dt>Here as</dt><dd>${kindOf(user)}</dd></div>
</dl>
<section aria-labelledby="sessions">
<h2 id="sessions">Where you are logged in</h2>
${table('Your sessions, the last used first', ['Where', 'Since', 'Last used', 'Action'], rows)}
<div class="actions">
${
  sessions.length > 1 &&
  html`<form method="post" action="/account/sessions/end-others"><button>Log out my other sessions</button></form>`
}
<form method="post" action="/account/sessions/end-all"><button class="quiet">Log out everywhere</button></form>
</div>
<p class="quiet-text">Feed readers with a token of their own go on reading when you log out: they are under <a href="/feeds/tokens">Tokens for feed readers</a>.</p>
</section>`,
  }
}

function kindOf(user: BoardUser): string {
  const kind = user.isEmployer
    ? 'an employer'
    : user.isEmployee
      ? 'somebody who looks for work'
      : user.isPartner
        ? 'a partner'
        : ''
  return [kind, user.isStaff && 'staff'].filter(Boolean).join(', ') || 'nobody in particular yet'
}
