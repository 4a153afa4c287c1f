import { url } from './address.ts'
import type { Notice } from './notices.ts'
import { escaped, layout, type Seen } from './page.ts'

/** All notices, for everybody. */
export function boardPage(notices: readonly Notice[], seen: Seen): string {
  const body = notices.map(
    ({ id, title, content }) =>
      `<article><h2><a href="${escaped(url.path(`/notices/${id}`))}">${escaped(title)}</a></h2>\n${content}</article>`,
  )
  return layout({ title: 'Notices', path: '/', body: body.join('\n') }, seen)
}

/** One notice. */
export function noticePage({ id, title, content }: Notice, seen: Seen): string {
  return layout({ title, path: `/notices/${id}`, body: content }, seen)
}

/** What is not put up yet, for the staff. */
export function draftsPage(notices: readonly Notice[], seen: Seen): string {
  const body = notices.map(({ title, content }) => `<article><h2>${escaped(title)}</h2>\n${content}</article>`)
  return layout({ title: 'Drafts', path: '/staff', body: body.join('\n') }, seen)
}

/** For members alone. */
export function berthPage(seen: Seen): string {
  return layout(
    { title: 'Your berth', path: '/berth', body: `<p>${escaped(seen.user.username)}, your berth is kept for you.</p>` },
    seen,
  )
}

/** The form of the members. @param next where to go afterwards, as the app sees it */
export function loginPage(next: string, seen: Seen): string {
  const body = `<form method="post" action="${escaped(url.path('/login'))}">
<input type="hidden" name="next" value="${escaped(next)}">
<label>Name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`
  return layout({ title: 'Log in', path: '/login', body }, seen)
}
