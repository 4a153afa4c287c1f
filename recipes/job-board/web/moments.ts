import { type Html, html } from './html.ts'

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })
const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' })

/** A day, as 1 Aug 2026. @param at epoch milliseconds */
export function day(at: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}">${DAY.format(at)}</time>`
}

/** A moment, as 1 Aug 2026, 14:03 UTC. @param at epoch milliseconds */
export function moment(at: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}">${DAY.format(at)}, ${TIME.format(at)} UTC</time>`
}
