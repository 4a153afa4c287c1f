import { type Html, html } from '../web/html.ts'

/** How many things stand on one page. */
export const PAGE_SIZE = 20

/** Links to the newer and the older page. @param page counted from 1 */
export function pager(path: string, page: number, hasOlder: boolean): Html | null {
  if (page === 1 && !hasOlder) return null
  return html`<nav class="pager" aria-label="More of these">
${page > 1 && html`<a rel="prev" href="${path}?page=${page - 1}">← Newer</a>`}
${hasOlder && html`<a rel="next" href="${path}?page=${page + 1}">Older →</a>`}
</nav>`
}

/** The page that was asked for, counted from 1. */
export function pageNumber(asked: unknown): number {
  return typeof asked === 'string' && /^[1-9]\d{0,4}$/.test(asked) ? Number(asked) : 1
}
