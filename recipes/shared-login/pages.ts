import { escaped, type Page } from './page.ts'

/** What the shop shows. */
export interface ShopView {
  readonly teas: readonly string[]
  /** What is in the basket of whoever looks. */
  readonly basket: readonly string[]
  /** What they wish for; null for somebody who is not logged in. */
  readonly wishes: readonly string[] | null
}

export function shopPage({ teas, basket, wishes }: ShopView): Page {
  const button = (path: string, label: string, tea: string) => `<form method="post" action="${path}">
<button name="tea" value="${escaped(tea)}" aria-label="${label}: ${escaped(tea)}">${label}</button></form>`
  const offered = teas.map(
    tea => `<li><bdi>${escaped(tea)}</bdi> <span class="buttons">${button('/basket', 'Basket', tea)}
${wishes === null ? '' : button('/wishes', 'Wish', tea)}</span></li>`,
  )
  return {
    title: 'Teas',
    body: `<ul>
${offered.join('\n')}
</ul>
<h2>In your basket</h2>
${list(basket)}
<h2>Your wishes</h2>
${wishes === null ? '<p><a href="/login">Log in</a> to keep some.</p>' : list(wishes)}`,
  }
}

/** What the forum shows. */
export interface ForumView {
  /** The newest first. */
  readonly posts: readonly { id: number; author: string; text: string }[]
  /** The last post that the viewer has seen; null for somebody who is not logged in. */
  readonly read: number | null
}

export function forumPage({ posts, read }: ForumView): Page {
  const shown = posts.map(
    ({ id, author, text }) =>
      `<li class="post"><b><bdi>${escaped(author)}</bdi></b>${read !== null && id > read ? ' <mark>new</mark>' : ''}
<div dir="auto">${escaped(text)}</div></li>`,
  )
  return {
    title: 'Talk about tea',
    body: `${read === null ? '<p><a href="/login">Log in</a> to write something.</p>' : FORM}
<ul>
${shown.join('\n')}
</ul>`,
  }
}

const FORM = `<form method="post" action="/posts">
<label>Your post <textarea name="text" rows="3" maxlength="500" dir="auto" required></textarea></label>
<button>Post</button>
</form>`

/** The login form. */
export interface LoginView {
  /** Where to go afterwards. */
  readonly next: string
  readonly username?: string
  /** Why the last try did not work. */
  readonly problem?: string
}

export function loginPage({ next, username = '', problem }: LoginView): Page {
  return {
    title: 'Log in',
    body: `${problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`}
<p>One login for the shop and the forum.</p>
<form method="post" action="/login">
<input type="hidden" name="next" value="${escaped(next)}">
<label>Name or e-mail address <input name="username" value="${escaped(username)}" dir="auto" autocomplete="username" autocapitalize="none" spellcheck="false" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`,
  }
}

/** What a page that cannot be shown says instead. */
export function errorPage(status: number, message: string): Page {
  return {
    title: TITLES.get(status) ?? (status < 500 ? 'That did not work' : 'Something went wrong'),
    body: `<p>${escaped(message)}</p>
<p>${status === 503 ? '<a href="">Try again</a>' : '<a href="/">Go to the start</a>'}</p>`,
  }
}

const TITLES = new Map([
  [401, 'Please log in'],
  [403, 'Not for you'],
  [404, 'Nothing here'],
  [429, 'Later, please'],
  [503, 'One moment, please'],
])

function list(lines: readonly string[]): string {
  if (lines.length === 0) return '<p>Nothing yet.</p>'
  return `<ul>
${lines.map(line => `<li><bdi>${escaped(line)}</bdi></li>`).join('\n')}
</ul>`
}
