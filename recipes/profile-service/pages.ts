import type { CanteenUser } from './canteen-user.ts'
import type { Employee } from './employee.ts'
import type { Menu } from './menu.ts'
import { escaped, type Page } from './page.ts'
import type { Supplier } from './suppliers.ts'

const UNCERTAIN =
  'We cannot look up what you are to the works at the moment, so these are the prices for guests. At the till you pay your own.'

/** For everybody. @param isUncertain whether it could not be looked up what somebody is */
export function menuPage({ tariff, dishes }: Menu, user: CanteenUser, isUncertain: boolean): Page {
  const rows = dishes.map(({ name, cents }) => `<tr><th scope="row">${name}</th><td>${price(cents)}</td></tr>`)
  return {
    title: 'Menu',
    body: `${isUncertain ? `<p role="status">${UNCERTAIN}</p>` : ''}
<table>
<caption><bdi>${escaped(tariff)}</bdi></caption>
<thead><tr><th scope="col">Dish</th><th scope="col">Price</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
${linksFor(user)}`,
  }
}

function linksFor(user: CanteenUser): string {
  const links = [
    ...(user.isEmployee ? ['<a href="/entry">Your entry</a>'] : []),
    ...(user.isEmployee || user.isTemp ? ['<a href="/table">Your table</a>'] : []),
    ...(user.isSupplier ? ['<a href="/deliveries">Your deliveries</a>'] : []),
  ]
  return links.length === 0 ? '' : `<p>${links.join(' · ')}</p>`
}

/** The same as text, for a script or a reader. */
export function menuText({ tariff, dishes }: Menu, isUncertain: boolean): string {
  const lines = dishes.map(({ name, cents }) => `${name}  ${price(cents)}`)
  return `${[tariff, ...lines, ...(isUncertain ? [UNCERTAIN] : [])].join('\n')}\n`
}

function price(cents: number): string {
  return `${(cents / 100).toFixed(2)} €`
}

/** For employees: what the personnel department says of them. */
export function entryPage({ name, department, since, diet }: Employee): Page {
  const rows = { Name: name, Department: department, 'With us since': since, Eats: EATS[diet] }
  return {
    title: 'Your entry',
    body: `<dl>
${Object.entries(rows)
  .map(([term, text]) => `<dt>${term}</dt><dd><bdi>${escaped(text)}</bdi></dd>`)
  .join('\n')}
</dl>
<p>The personnel department keeps this. Tell them what is wrong.</p>`,
  }
}

const EATS: Readonly<Record<Employee['diet'], string>> = {
  any: 'everything',
  vegetarian: 'no meat and no fish',
  vegan: 'nothing from animals',
}

/** For employees and for people of an agency. @param whose their department or agency */
export function tablePage(whose: string): Page {
  return { title: 'Your table', body: `<p>The table of <bdi>${escaped(whose)}</bdi> is kept from twelve to one.</p>` }
}

/** For suppliers. */
export function deliveriesPage({ company, delivers }: Supplier): Page {
  return {
    title: 'Your deliveries',
    body: `<p><bdi>${escaped(company)}</bdi>: <bdi>${escaped(delivers)}</bdi>, at the yard before seven.</p>`,
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
    body: `${problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`}
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
<p>${status === 503 ? '<a href="">Try again</a>' : '<a href="/">Go to the menu</a>'}</p>`,
  }
}

const TITLES = new Map([
  [401, 'Please log in'],
  [403, 'Not for you'],
  [404, 'Nothing here'],
  [429, 'Later, please'],
  [503, 'One moment, please'],
])
