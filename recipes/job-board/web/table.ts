import { type Html, html, type Insertable } from './html.ts'

/**
 * A table that becomes a list of cards on a phone. The roles say again what the elements are: browsers forget it when a table is laid out as
 * something else.
 */
export function table(caption: string, heads: readonly string[], rows: readonly (readonly Insertable[])[]): Html {
  return html`<table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${heads.map(head => html`<th role="columnheader" scope="col">${head}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    cells => html`<tr role="row">${cells.map((cell, index) => html`<td role="cell" data-head="${heads[index]}">${cell}</td>`)}</tr>
`,
  )}</tbody>
</table>`
}
