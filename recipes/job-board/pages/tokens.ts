import type { FeedToken } from 'koa-strata/sql'
import { type FeedInfo, feedTitle } from '../feeds/catalogue.ts'
import { MOST_TOKENS } from '../feeds/tokens.ts'
import type { Field, FieldErrors } from '../web/fields.ts'
import type { Form } from '../web/form.ts'
import { type FormPart, formView } from '../web/form-page.ts'
import { type Html, html } from '../web/html.ts'
import { moment } from '../web/moments.ts'
import type { Page } from '../web/page.ts'
import { table } from '../web/table.ts'

/** What somebody writes of a new token. */
export const tokenFields = [
  {
    name: 'name',
    label: 'What is it for?',
    hint: 'As “Newsboat on my laptop”: what you will know it by.',
    max: 100,
    required: 'Write what it is for.',
  },
] as const satisfies readonly Field[]

/** The names of the feeds that a new token is for, as they were ticked; null: all. */
export function chosenFeeds(form: Form, feeds: readonly FeedInfo[]): string[] | null {
  if (form.get('scope') === 'all') return null
  return feeds.map(({ name }) => name).filter(name => form.get(`feed-${name}`) !== '')
}

/** The form of a new token, as it was filled in. */
export interface TokenDraft {
  readonly values: Readonly<Record<string, string>>
  /** null: all feeds. */
  readonly chosen: readonly string[] | null
  readonly errors: FieldErrors
}

const TITLE = 'Tokens for feed readers'

/** Somebody's tokens, and the form of a new one. @param feeds those that they may read @param refused what was not made */
export function tokensPage(
  tokens: readonly FeedToken[],
  feeds: readonly FeedInfo[],
  refused: TokenDraft | 'too many' | null = null,
): Page {
  const isFull = refused === 'too many' || tokens.length >= MOST_TOKENS
  return {
    title: refused ? `Error: ${TITLE}` : TITLE,
    status: refused === 'too many' ? 409 : refused ? 422 : 200,
    body: html`<p class="kicker"><a href="/feeds">Feeds</a></p>
<h1>${TITLE}</h1>
<p class="lead">A token stands for your password at your feeds, and nowhere else. Give each reader one of its own, and end it when the reader is gone.</p>
${isFull && html`<p class="closed"${refused && html` role="alert"`}>${MOST_TOKENS} tokens are as many as one person may have. To make another, end one that you no longer need.</p>`}
${tokens.length === 0 ? html`<p class="empty">You have no tokens.</p>` : tokenList(tokens)}
${!isFull && newTokenPart(feeds, refused)}`,
  }
}

function tokenList(tokens: readonly FeedToken[]): Html {
  const rows = tokens.map(({ id, name, feeds, createdAt, lastUsedAt }) => [
    html`<bdi>${name}</bdi>`,
    feeds === null ? 'all' : feeds.map(feedTitle).join(', '),
    moment(createdAt.getTime()),
    lastUsedAt === null ? 'never' : moment(lastUsedAt.getTime()),
    html`<form method="post" action="/feeds/tokens/end"><input type="hidden" name="token" value="${id}"><button class="quiet"
 aria-label="End the token ${name}">End</button></form>`,
  ])
  return html`<section aria-label="Your tokens">
${table('Your tokens, the latest first', ['For', 'Reads', 'Made', 'Last used', 'Action'], rows)}
${
  tokens.length > 1 &&
  html`<form class="actions" method="post" action="/feeds/tokens/end-all"><button class="quiet">End all tokens</button></form>`
}
</section>`
}

function newTokenPart(feeds: readonly FeedInfo[], draft: TokenDraft | null): Html {
  const form = formView({
    action: '/feeds/tokens',
    fields: tokenFields,
    parts: [scopePart(feeds, draft ? draft.chosen : null)],
    values: draft?.values ?? {},
    errors: draft?.errors ?? null,
    submit: 'Make the token',
  })
  return html`<section class="narrow panel" aria-labelledby="new-token">
<h2 id="new-token">A new token</h2>
${feeds.length > 0 ? form : html`<p>There are no feeds for you yet. <a href="/welcome">Set up your profile</a> first.</p>`}
</section>`
}

/** @param chosen what is ticked; null: all feeds */
function scopePart(feeds: readonly FeedInfo[], chosen: readonly string[] | null): FormPart {
  const label = 'What may it read?'
  return {
    name: 'feeds',
    label,
    view: (error, isFirstWrong) => html`<fieldset class="field"${error && html` aria-describedby="feeds-error"`}>
<legend>${label}</legend>
${error && html`<p class="error" id="feeds-error">${error}</p>`}
<label class="option"><input type="radio" id="feeds" name="scope" value="all"${chosen === null && html` checked`}> All my feeds, and those that I may get later</label>
<label class="option"><input type="radio" name="scope" value="some"${chosen !== null && html` checked`}${isFirstWrong && html` autofocus`}> Only those that I choose</label>
<div class="options">${feeds.map(
      ({ name, title }) =>
        html`<label class="option"><input type="checkbox" name="feed-${name}" value="yes"${chosen?.includes(name) && html` checked`}> ${title}</label>
`,
    )}</div>
</fieldset>`,
  }
}
