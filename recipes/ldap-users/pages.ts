import { escaped, type Page } from './page.ts'

/** For everybody. */
export function homePage(name: string | null): Page {
  return {
    title: 'The lighthouse',
    body: `<p>Open to visitors on Saturdays, from ten to four. The stairs are steep.</p>
${name === null ? '' : `<p>Hello <bdi>${escaped(name)}</bdi>.</p>`}
<p><a href="/rota">Who keeps the light this week</a> (for keepers)</p>`,
  }
}

const ROTA = [
  ['Monday', 'Grace'],
  ['Tuesday', 'Ida'],
  ['Wednesday', 'Grace'],
  ['Thursday', 'نورة'],
  ['Friday', 'Ida'],
  ['Saturday', 'نورة'],
  ['Sunday', 'Grace'],
]

/** For members of the group. */
export function rotaPage(): Page {
  const rows = ROTA.map(([day, keeper]) => `<tr><th scope="row">${day}</th><td><bdi>${keeper}</bdi></td></tr>`)
  return {
    title: 'Rota',
    body: `<table>
<thead><tr><th scope="col">Night of</th><th scope="col">Keeper</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`,
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
