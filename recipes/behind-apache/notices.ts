/** One notice on the board. */
export interface Notice {
  readonly id: number
  readonly title: string
  /** HTML that somebody wrote in the editor. */
  readonly content: string
  /** When it was put up, in epoch milliseconds; null for a draft, which is for the staff. */
  readonly published: number | null
}

/** What stands on the board. Yours comes from a database. */
export const NOTICES: readonly Notice[] = [
  {
    id: 3,
    title: 'Dredging & the north quay',
    content: '<p>The north quay stays closed while the dredger works.</p>',
    published: null,
  },
  {
    id: 2,
    title: 'Winter lifting',
    content:
      '<p>The crane lifts boats from 12 to 16 October. <img src="http://images.example/crane.jpg" alt="The crane"></p>',
    published: Date.UTC(2026, 9, 5, 9),
  },
  {
    id: 1,
    title: 'New lights at the entrance',
    content: '<p>Green to starboard: <img src="http://images.example/chart.png" alt="Chart of the entrance"></p>',
    published: Date.UTC(2026, 8, 21, 9),
  },
]

/** A notice that everybody may see. */
export type Published = Notice & { readonly published: number }

/** Those that everybody may see, the newest first. */
export function publishedOf(notices: readonly Notice[]): Published[] {
  return notices.filter((notice): notice is Published => notice.published !== null)
}

/** Those that are for the staff. */
export function draftsOf(notices: readonly Notice[]): Notice[] {
  return notices.filter(({ published }) => published === null)
}
