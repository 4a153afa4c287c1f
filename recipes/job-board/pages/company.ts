import type { Application, Recommendation } from '../board/candidates.ts'
import type { Opening, OwnOpening } from '../board/openings.ts'
import type { Field, FieldErrors } from '../web/fields.ts'
import { formView } from '../web/form-page.ts'
import { type Html, html, paragraphs } from '../web/html.ts'
import { day, moment } from '../web/moments.ts'
import type { Page } from '../web/page.ts'
import { table } from '../web/table.ts'

/** What an employer writes of an opening. */
export const openingFields = [
  {
    name: 'title',
    label: 'Title',
    hint: 'What the work is, as “Baker” or “Nurse, nights”.',
    max: 120,
    required: 'Write what the work is.',
  },
  { name: 'place', label: 'Place', hint: 'A city, or “remote”.', max: 120, required: 'Write where the work is.' },
  { name: 'salary', label: 'Salary', hint: 'As “€ 42,000 a year”.', max: 120 },
  {
    name: 'description',
    label: 'Description',
    hint: 'What there is to do, and whom you look for. An empty line begins a paragraph.',
    max: 5000,
    rows: 10,
    required: 'Write what there is to do.',
  },
] as const satisfies readonly Field[]

/** An employer's openings. */
export function companyPage(company: string, openings: readonly OwnOpening[]): Page {
  const rows = openings.map(({ id, title, place, created_at, closed_at, applications, recommendations }) => [
    html`<a href="/company/openings/${id}" dir="auto">${title}</a>`,
    html`<bdi>${place}</bdi>`,
    day(created_at),
    applications,
    recommendations,
    closed_at === null ? 'open' : 'closed',
  ])
  return {
    title: 'Your openings',
    body: html`<div class="with-action"><h1>Your openings</h1><a class="button" href="/company/openings/new">Post an opening</a></div>
${
  rows.length === 0
    ? html`<p class="empty"><bdi>${company}</bdi> has no openings yet. <a href="/company/openings/new">Post the first one.</a></p>`
    : table(
        `Openings of ${company}, the latest first`,
        ['Title', 'Place', 'Posted', 'Applications', 'Recommendations', 'State'],
        rows,
      )
}`,
  }
}

/** The form of an opening. @param id null: a new one */
export function openingFormPage(
  id: number | null,
  values: Readonly<Record<string, string>>,
  errors: FieldErrors | null = null,
): Page {
  const title = id === null ? 'Post an opening' : 'Edit the opening'
  const form = formView({
    action: id === null ? '/company/openings' : `/company/openings/${id}/edit`,
    fields: openingFields,
    values,
    errors,
    submit: id === null ? 'Post it' : 'Save',
    cancel: id === null ? '/company' : `/company/openings/${id}`,
  })
  return {
    title: errors ? `Error: ${title}` : title,
    status: errors ? 422 : 200,
    body: html`<div class="narrow">
<p class="kicker"><a href="/company">Your openings</a></p>
<h1>${title}</h1>
${form}
</div>`,
  }
}

/** An employer's own opening, with everybody who answered it. */
export function ownOpeningPage(
  opening: Opening,
  applications: readonly Application[],
  recommendations: readonly Recommendation[],
): Page {
  const { id, title, place, salary, description, created_at, closed_at } = opening
  const isOpen = closed_at === null
  return {
    title,
    body: html`<article class="opening">
<header>
<p class="kicker"><a href="/company">Your openings</a></p>
<h1 dir="auto">${title}</h1>
<p class="facts"><bdi>${place}</bdi>${salary && html`<bdi>${salary}</bdi>`}<span>posted ${day(created_at)}</span><span>${
      closed_at === null ? 'open' : html`closed since ${day(closed_at)}`
    }</span></p>
<div class="actions">
<a class="button" href="/company/openings/${id}/edit">Edit</a>
<form method="post" action="/company/openings/${id}/${isOpen ? 'close' : 'reopen'}"><button class="quiet">${isOpen ? 'Close' : 'Reopen'}</button></form>
<a class="button quiet" href="/openings/${id}">As others see it</a>
</div>
</header>
<section aria-labelledby="applications">
<h2 id="applications">Applications <span class="count">${applications.length}</span></h2>
${applications.length === 0 ? html`<p class="empty">Nobody has applied yet.</p>` : html`<ul class="answers">${applications.map(applicationItem)}</ul>`}
</section>
<section aria-labelledby="recommendations">
<h2 id="recommendations">Recommendations <span class="count">${recommendations.length}</span></h2>
${
  recommendations.length === 0
    ? html`<p class="empty">No partner has recommended anybody yet.</p>`
    : html`<ul class="answers">${recommendations.map(recommendationItem)}</ul>`
}
</section>
<details class="prose"><summary>The description</summary>${paragraphs(description)}</details>
</article>`,
  }
}

function applicationItem({ id, name, email, city, skills, letter, created_at }: Application): Html {
  return html`<li id="application-${id}">
<h3 dir="auto">${name}</h3>
<p class="facts"><bdi>${city}</bdi>${mailLink(email)}<span>${moment(created_at)}</span></p>
<p class="skills"><span class="quiet-text">Skills:</span> <bdi>${skills}</bdi></p>
<div class="letter">${paragraphs(letter)}</div>
</li>`
}

function recommendationItem({ id, candidate, agency, email, note, created_at }: Recommendation): Html {
  return html`<li id="recommendation-${id}">
<h3 dir="auto">${candidate}</h3>
<p class="facts"><span>recommended by <bdi>${agency}</bdi></span>${mailLink(email)}<span>${moment(created_at)}</span></p>
<div class="letter">${paragraphs(note)}</div>
</li>`
}

function mailLink(email: string | null): Html | null {
  return email === null ? null : html`<a href="mailto:${encodeURIComponent(email).replaceAll('%40', '@')}">${email}</a>`
}
