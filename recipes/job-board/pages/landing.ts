import { html } from '../web/html.ts'
import type { Page } from '../web/page.ts'

/** What people see before they log in. */
export function landingPage(openings: number): Page {
  return {
    title: 'Work, well matched',
    body: html`<div class="hero">
<h1>Work, well matched</h1>
<p class="lead">Employers post openings. People who look for work apply with a short letter. Partners recommend somebody they know.
Everybody has feeds of what concerns them, in their own reader.</p>
<p class="actions"><a class="button" href="/login">Log in</a></p>
<p class="quiet-text">${openings === 0 ? 'No openings just now.' : openings === 1 ? 'One opening just now.' : `${openings} openings just now.`}</p>
</div>
<ul class="cards">
<li><h2>Hiring</h2><p>Post an opening in a minute, see who applied, close it when you have found somebody.</p></li>
<li><h2>Looking for work</h2><p>Keep one profile, apply with a letter, follow new openings in your feed reader.</p></li>
<li><h2>Partners</h2><p>Come in with the account of your own agency. The board keeps no record of you.</p></li>
</ul>`,
  }
}
