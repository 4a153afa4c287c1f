import type { Kind } from '../board/profiles.ts'
import type { Field, FieldErrors } from '../web/fields.ts'
import { formView } from '../web/form-page.ts'
import { type Html, html } from '../web/html.ts'
import type { Page } from '../web/page.ts'

/** What each kind of person says of themselves. */
export const profileFields = {
  employer: [
    {
      name: 'company',
      label: 'Company',
      max: 100,
      required: 'Write the name of the company.',
      autocomplete: 'organization',
    },
    {
      name: 'about',
      label: 'About the company',
      hint: 'A few sentences that stand with each of your openings.',
      max: 1000,
      rows: 5,
    },
  ],
  employee: [
    {
      name: 'name',
      label: 'Your name',
      hint: 'As employers shall read it, in any script.',
      max: 100,
      required: 'Write your name.',
      autocomplete: 'name',
    },
    { name: 'city', label: 'City', max: 100, required: 'Write where you live.', autocomplete: 'address-level2' },
    {
      name: 'skills',
      label: 'Skills',
      hint: 'What you can do, separated by commas.',
      max: 500,
      rows: 3,
      required: 'Write at least one thing that you can do.',
    },
  ],
  partner: [
    {
      name: 'agency',
      label: 'Agency',
      max: 100,
      required: 'Write the name of the agency.',
      autocomplete: 'organization',
    },
    { name: 'region', label: 'Region', hint: 'Where you know people.', max: 100, required: 'Write the region.' },
  ],
} as const satisfies Record<Kind, readonly Field[]>

const choices = {
  employer: { link: 'I am hiring', text: 'You post openings, and see who applies and whom partners recommend.' },
  employee: { link: 'I am looking for work', text: 'You keep a profile, and apply to openings with a short letter.' },
  partner: { link: 'I recommend people', text: 'You see the openings, and recommend people whom you know.' },
} as const satisfies Record<Kind, object>

const endings = {
  employer: {
    summary: 'I am no longer hiring',
    text: 'This removes your company, as long as you have posted no opening: openings stand by the company that posted them.',
  },
  employee: {
    summary: 'I am no longer looking for work',
    text: 'This removes your profile. What you have sent stays with the employers.',
  },
  partner: {
    summary: 'I no longer recommend people',
    text: 'This removes your agency. What you have sent stays with the employers.',
  },
} as const satisfies Record<Kind, object>

const titles = { employer: 'Your company', employee: 'Your profile', partner: 'Your agency' } as const satisfies Record<
  Kind,
  string
>

/** Asks somebody who has no profile what they are. */
export function welcomePage(username: string, kinds: readonly Kind[]): Page {
  return {
    title: 'Welcome',
    body: html`<h1>Welcome, <bdi>${username}</bdi></h1>
<p class="lead">What brings you here? You can be one of these at a time.</p>
<ul class="cards">
${kinds.map(
  kind =>
    html`<li><h2><a class="whole" href="/welcome/${kind}">${choices[kind].link}</a></h2><p>${choices[kind].text}</p></li>`,
)}
</ul>`,
  }
}

/** The form of a profile, a new one or the one there is. */
export function profilePage(
  kind: Kind,
  isNew: boolean,
  values: Readonly<Record<string, string>>,
  errors: FieldErrors | null = null,
): Page {
  const form = formView({
    action: isNew ? `/welcome/${kind}` : '/profile',
    fields: profileFields[kind],
    values,
    errors,
    submit: isNew ? 'Create the profile' : 'Save',
    ...(isNew && { cancel: '/welcome' }),
  })
  return {
    title: errors ? `Error: ${titles[kind]}` : titles[kind],
    status: errors ? 422 : 200,
    body: html`<div class="narrow">
<h1>${titles[kind]}</h1>
${form}
${!isNew && endingPart(kind)}
</div>`,
  }
}

function endingPart(kind: Kind): Html {
  const { summary, text } = endings[kind]
  return html`<details class="ending"><summary>${summary}</summary>
<p>${text}</p>
<form method="post" action="/profile/remove"><button class="quiet">Remove it</button></form>
</details>`
}
