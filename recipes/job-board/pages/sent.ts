import type { AboutOpening, Application, Recommendation } from '../board/candidates.ts'
import { html } from '../web/html.ts'
import { moment } from '../web/moments.ts'
import type { Page } from '../web/page.ts'
import { table } from '../web/table.ts'

const NO_MORE = 'closed'

/** What an employee has sent. */
export function applicationsPage(sent: readonly (Application & AboutOpening)[]): Page {
  const rows = sent.map(({ opening_id, title, company, created_at, closed_at }) => [
    html`<a href="/openings/${opening_id}" dir="auto">${title}</a>`,
    html`<bdi>${company}</bdi>`,
    moment(created_at),
    closed_at === null ? 'open' : NO_MORE,
  ])
  return {
    title: 'Your applications',
    body: html`<h1>Your applications</h1>
${
  rows.length === 0
    ? html`<p class="empty">You have not applied yet. <a href="/openings">See the openings.</a></p>`
    : table('What you have sent, the latest first', ['Opening', 'Employer', 'Sent', 'The opening is'], rows)
}`,
  }
}

/** What a partner has sent. */
export function recommendationsPage(sent: readonly (Recommendation & AboutOpening)[]): Page {
  const rows = sent.map(({ candidate, opening_id, title, company, created_at, closed_at }) => [
    html`<bdi>${candidate}</bdi>`,
    html`<a href="/openings/${opening_id}" dir="auto">${title}</a>`,
    html`<bdi>${company}</bdi>`,
    moment(created_at),
    closed_at === null ? 'open' : NO_MORE,
  ])
  return {
    title: 'Your recommendations',
    body: html`<h1>Your recommendations</h1>
${
  rows.length === 0
    ? html`<p class="empty">You have not recommended anybody yet. <a href="/openings">See the openings.</a></p>`
    : table(
        'Whom you have recommended, the latest first',
        ['Candidate', 'Opening', 'Employer', 'Sent', 'The opening is'],
        rows,
      )
}`,
  }
}
