import type { Article } from './articles.ts'
import { escaped, type Page, type Place } from './page.ts'

/** For everybody. */
export function frontPage(published: readonly Article[]): Page {
  const items = published.map(({ id, title }) => `<li><a href="/articles/${id}">${escaped(title)}</a></li>`)
  return {
    title: 'From the shore',
    body: `<p>A magazine about harbours, tides and who lives by them. To read it you need an account at Harbour Press.</p>
${items.length === 0 ? '<p>Nothing is out yet.</p>' : `<ul>\n${items.join('\n')}\n</ul>`}`,
  }
}

/** For readers. */
export function articlePage({ title, text }: Article): Page {
  return { title, body: `<p>${escaped(text)}</p>\n<p><a href="/">All articles</a></p>` }
}

/** For editors. */
export function deskPage({ prefix }: Place, articles: readonly Article[]): Page {
  const items = articles.map(({ id, title, isPublished }) => {
    const [state, action, label] = isPublished
      ? ['Readers see it', 'withdraw', 'Take back']
      : ['Draft', 'publish', 'Publish']
    return `<li><span>${escaped(title)}<small>${state}</small></span>
<form method="post" action="${prefix}/articles/${id}/${action}"><button aria-label="${label} ${escaped(title)}">${label}</button></form></li>`
  })
  return { title: 'Articles', body: `<ul>\n${items.join('\n')}\n</ul>` }
}

/** The front page of the publisher. */
export function accountPage(): Page {
  return { title: 'Your account', body: '<p>One account for all magazines of Harbour Press.</p>' }
}

/** The login form. */
export interface LoginView {
  /** Where to go afterwards. */
  readonly next: string
  readonly username?: string
  /** Why the last try did not work. */
  readonly problem?: string
}

export function loginPage({ name, prefix }: Place, { next, username = '', problem }: LoginView): Page {
  return {
    title: `Log in to ${name}`,
    body: `${problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`}
<form method="post" action="${prefix}/login">
<input type="hidden" name="next" value="${escaped(next)}">
<label>Name or e-mail address <input name="username" value="${escaped(username)}" dir="auto" autocomplete="username" autocapitalize="none" spellcheck="false" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`,
  }
}

/** What a page that cannot be shown says instead. */
export function errorPage({ prefix }: Place, status: number, message: string): Page {
  return {
    title: TITLES.get(status) ?? (status < 500 ? 'That did not work' : 'Something went wrong'),
    body: `<p>${escaped(message)}</p>
<p>${status === 503 ? '<a href="">Try again</a>' : `<a href="${prefix}/">Go to the start</a>`}</p>`,
  }
}

const TITLES = new Map([
  [401, 'Please log in'],
  [403, 'Not for you'],
  [404, 'Nothing here'],
  [429, 'Later, please'],
  [503, 'One moment, please'],
])
