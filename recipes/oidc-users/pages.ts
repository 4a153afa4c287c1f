import { DetachedUser, type User } from 'koa-strata'
import { escaped, type Page } from './page.ts'

/** For everybody. */
export function homePage(user: User): Page {
  return {
    title: 'The reading room',
    body: `<p>Open day and night. Books on the shelf are for people who are logged in.</p>
${user.isAuthenticated ? `<p>Hello <bdi>${escaped(nameOf(user))}</bdi>.</p>` : ''}
<p><a href="/shelf">Your shelf</a></p>`,
  }
}

/** For whoever is logged in: what is known of them here. */
export function shelfPage(user: User): Page {
  return {
    title: 'Your shelf',
    body: `<p>Nothing on it yet. It is yours by this, whatever you are called:</p>
<dl>
<dt>Name</dt><dd><bdi>${escaped(nameOf(user))}</bdi></dd>
<dt>Address</dt><dd>${user.email === null ? 'none that is known to be yours' : `<bdi>${escaped(user.email)}</bdi>`}</dd>
<dt>Known as</dt><dd><code>${escaped(user.key)}</code></dd>
</dl>`,
  }
}

/** Where to log in. @param next where to go afterwards */
export function loginPage(next: string): Page {
  return {
    title: 'Log in',
    body: `<p>You have your account at Example ID, which will send you back here.</p>
<form method="post" action="/login">
<input type="hidden" name="next" value="${escaped(next)}">
<button>Log in with Example ID</button>
</form>`,
  }
}

/** What a page that cannot be shown says instead. */
export function errorPage(status: number, message: string): Page {
  return {
    title: TITLES.get(status) ?? (status < 500 ? 'That did not work' : 'Something went wrong'),
    body: `<p>${escaped(message)}</p>
<p><a href="/login">Log in</a> or <a href="/">go to the start</a></p>`,
  }
}

const TITLES = new Map([
  [401, 'Please log in'],
  [403, 'Not for you'],
  [404, 'Nothing here'],
  [503, 'One moment, please'],
])

function nameOf(user: User): string {
  return user instanceof DetachedUser && typeof user.attributes.name === 'string' ? user.attributes.name : user.username
}
