import type { Activity, Subject } from '../board/activity.ts'
import { html } from '../web/html.ts'
import { moment } from '../web/moments.ts'
import type { Page } from '../web/page.ts'
import { table } from '../web/table.ts'
import { PAGE_SIZE, pager } from './pager.ts'

const SUBJECTS: Record<Subject, string> = {
  opening: 'changes to openings',
  application: 'applications',
  recommendation: 'recommendations',
  profile: 'changes to profiles',
}

/** What happens on the board, for staff. @param activities one more than stand on a page, where there are older ones */
export function staffPage(counts: Record<Subject, number>, activities: readonly Activity[], page: number): Page {
  const rows = activities
    .slice(0, PAGE_SIZE)
    .map(({ at, actor, summary, path }) => [
      moment(at),
      html`<bdi>${actor}</bdi>`,
      path === null ? html`<bdi>${summary}</bdi>` : html`<a href="${path}" dir="auto">${summary}</a>`,
    ])
  return {
    title: 'Staff',
    body: html`<h1>What happens on the board</h1>
<dl class="figures">
${Object.entries(SUBJECTS).map(([subject, text]) => html`<div><dt>${text}</dt><dd>${counts[subject as Subject]}</dd></div>`)}
</dl>
${rows.length === 0 ? html`<p class="empty">Nothing has happened yet.</p>` : table('Activity, the latest first', ['When', 'Who', 'What'], rows)}
${pager('/staff', page, activities.length > PAGE_SIZE)}`,
  }
}
