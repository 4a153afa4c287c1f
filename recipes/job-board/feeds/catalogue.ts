import type { BoardUser } from '../identity.ts'

/** A feed that the board has. */
export interface FeedInfo {
  /** What tokens for some feeds go by. */
  readonly name: string
  /** Its address, without the extension of a format. */
  readonly path: string
  readonly title: string
  readonly description: string
  /** The page that shows the same. */
  readonly page: string
}

/** A format that feeds come in. */
export interface FeedFormat {
  readonly name: string
  readonly extension: 'atom' | 'rss' | 'json'
  readonly type: string
}

export const feeds = {
  openings: {
    name: 'openings',
    path: '/feeds/openings',
    title: 'Openings',
    description: 'The openings that people can apply to now.',
    page: '/openings',
  },
  applications: {
    name: 'applications',
    path: '/feeds/applications',
    title: 'Applications',
    description: 'The applications and recommendations for your openings.',
    page: '/company',
  },
  activity: {
    name: 'activity',
    path: '/feeds/activity',
    title: 'Activity',
    description: 'Everything that happens on the board.',
    page: '/staff',
  },
} as const satisfies Record<string, FeedInfo>

export const feedFormats: readonly FeedFormat[] = [
  { name: 'Atom', extension: 'atom', type: 'application/atom+xml' },
  { name: 'RSS', extension: 'rss', type: 'application/rss+xml' },
  { name: 'JSON Feed', extension: 'json', type: 'application/feed+json' },
]

/** Who may see the feed of all activity, and the page beside it. */
export const READ_REPORTS = 'reports.read'

/** How a feed is called where people read it. A token may be for one that there is no more. */
export function feedTitle(name: string): string {
  return Object.values<FeedInfo>(feeds).find(feed => feed.name === name)?.title ?? name
}

/** The feeds that somebody may read. */
export function feedsOf(user: BoardUser): FeedInfo[] {
  const own: FeedInfo[] = []
  if (user.isEmployee || user.isPartner) own.push(feeds.openings)
  if (user.isEmployer) own.push(feeds.applications)
  if (user.hasPermission(READ_REPORTS)) own.push(feeds.activity)
  return own
}
