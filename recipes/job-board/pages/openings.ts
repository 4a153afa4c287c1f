import type { Application } from '../board/candidates.ts'
import type { Opening } from '../board/openings.ts'
import type { BoardUser } from '../identity.ts'
import type { Field, FieldErrors } from '../web/fields.ts'
import { formView } from '../web/form-page.ts'
import { type Html, html, paragraphs } from '../web/html.ts'
import { day, moment } from '../web/moments.ts'
import type { Page } from '../web/page.ts'
import { PAGE_SIZE, pager } from './pager.ts'

/** What an employee writes to an employer. */
export const applicationFields = [
  {
    name: 'letter',
    label: 'Your letter',
    hint: 'A few sentences: what speaks for you, and when you could begin. Your name, city, skills and e-mail address go with it.',
    max: 3000,
    rows: 8,
    required: 'Write a few sentences to the employer.',
  },
] as const satisfies readonly Field[]

/** What a partner writes to an employer. */
export const recommendationFields = [
  { name: 'candidate', label: 'Whom do you recommend?', hint: 'Their name.', max: 100, required: 'Write their name.' },
  {
    name: 'note',
    label: 'Why them?',
    max: 2000,
    rows: 5,
    required: 'Write in a sentence or two why they fit.',
  },
] as const satisfies readonly Field[]

/** All openings that people can apply to. @param openings one more than stand on a page, where there are older ones */
export function openingsPage(openings: readonly Opening[], page: number): Page {
  const shown = openings.slice(0, PAGE_SIZE)
  return {
    title: 'Openings',
    body: html`<h1>Openings</h1>
${
  shown.length === 0
    ? html`<p class="empty">${page === 1 ? 'There are no openings just now. Come back soon, or follow the feed.' : 'There are no older openings.'}</p>`
    : html`<ul class="list">${shown.map(openingItem)}</ul>`
}
${pager('/openings', page, openings.length > PAGE_SIZE)}`,
  }
}

function openingItem({ id, title, company, place, salary, created_at }: Opening): Html {
  return html`<li>
<h2><a class="whole" href="/openings/${id}" dir="auto">${title}</a></h2>
<p class="facts"><bdi>${company}</bdi><bdi>${place}</bdi>${salary && html`<bdi>${salary}</bdi>`}<span>posted ${day(created_at)}</span></p>
</li>`
}

/** What a form on the page of an opening holds. */
export interface Draft {
  readonly values: Readonly<Record<string, string>>
  readonly errors: FieldErrors
}

/** One opening, with what this person can do about it. @param sent their application, where they have sent one */
export function openingPage(
  opening: Opening,
  user: BoardUser,
  sent: Application | undefined,
  draft: Draft | null = null,
): Page {
  const { title, company, place, salary, description, about, created_at, updated_at, closed_at } = opening
  return {
    title: draft ? `Error: ${title}` : title,
    status: draft ? 422 : 200,
    body: html`<article class="opening">
<header>
<p class="kicker"><a href="/openings">Openings</a></p>
<h1 dir="auto">${title}</h1>
<p class="facts"><bdi>${company}</bdi><bdi>${place}</bdi>${salary && html`<bdi>${salary}</bdi>`}<span>posted ${day(created_at)}</span>${
      closed_at === null && updated_at > created_at && html`<span>changed ${day(updated_at)}</span>`
    }</p>
${closed_at !== null && html`<p class="closed">This opening has been closed since ${day(closed_at)}.</p>`}
</header>
<div class="columns">
<div class="prose">${paragraphs(description)}
${about && html`<h2>About <bdi>${company}</bdi></h2>${paragraphs(about)}`}</div>
${answerPart(opening, user, sent, draft)}
</div>
</article>`,
  }
}

function answerPart(
  opening: Opening,
  user: BoardUser,
  sent: Application | undefined,
  draft: Draft | null,
): Html | null {
  const { id, employer_key, closed_at } = opening
  if (user.isEmployer) {
    if (user.key !== employer_key) return null
    return html`<aside class="panel" aria-labelledby="answer"><h2 id="answer">This is yours</h2>
<p class="actions"><a class="button" href="/company/openings/${id}">See who applied</a></p></aside>`
  }
  if (sent) {
    return html`<aside class="panel" aria-labelledby="answer"><h2 id="answer">You have applied</h2>
<p class="quiet-text">Sent on ${moment(sent.created_at)}. The employer has your e-mail address.</p>
<div class="letter">${paragraphs(sent.letter)}</div></aside>`
  }
  if (closed_at !== null) return null
  if (user.isEmployee)
    return formPanel('Apply', `/openings/${id}/applications`, applicationFields, 'Send the application', draft)
  if (user.isPartner) {
    const action = `/openings/${id}/recommendations`
    return formPanel('Recommend somebody', action, recommendationFields, 'Send the recommendation', draft)
  }
  return html`<aside class="panel" aria-labelledby="answer"><h2 id="answer">Would you like to apply?</h2>
<p>Say who you are first.</p>
<p class="actions"><a class="button" href="/welcome">Set up your profile</a></p></aside>`
}

function formPanel(title: string, action: string, fields: readonly Field[], submit: string, draft: Draft | null): Html {
  return html`<section class="panel" aria-labelledby="answer"><h2 id="answer">${title}</h2>
${formView({ action, fields, values: draft?.values ?? {}, errors: draft?.errors ?? null, submit })}
</section>`
}
