import { escaped, type Page } from './page.ts'
import type { Loan, Tool } from './tools.ts'

/** For everybody. */
export function homePage(tools: readonly Tool[]): Page {
  return {
    title: 'New tools',
    feed: '/tools.atom',
    body: `<ul>
${tools.map(({ name, added_at }) => `<li><bdi>${escaped(name)}</bdi> ${day(added_at)}</li>`).join('\n')}
</ul>
<p>The same as a <a href="/tools.atom">feed</a>.</p>`,
  }
}

/** For whoever has borrowed them. */
export function loansPage(loans: readonly Loan[]): Page {
  return {
    title: 'Your loans',
    feed: '/loans.atom',
    body: `${loans.length === 0 ? '<p>You have nothing of ours.</p>' : ''}
<ul>
${loans.map(({ tool, due }) => `<li><bdi>${escaped(tool)}</bdi> <span>due back ${day(Date.parse(due))}</span></li>`).join('\n')}
</ul>
<p>The same as a <a href="/feeds">feed, for your reader</a>.</p>`,
  }
}

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
    body: `${alert(problem)}
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

/** A problem with what was sent, if there is one. */
export function alert(problem: string | undefined): string {
  return problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`
}

const DAY = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' })

/** A day, from epoch milliseconds. */
export function day(moment: number): string {
  return `<time datetime="${new Date(moment).toISOString().slice(0, 10)}">${DAY.format(moment)}</time>`
}
