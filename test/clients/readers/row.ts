import type { Exchange } from './witness.ts'

/** What a reader was seen to do in its first polls, in words. */
export interface Row {
  /** When it sends the name and the password. */
  readonly sends: string
  /** Whether it asks for the feed only if that has changed, by what, and from when on. */
  readonly changes: string
  /** What becomes of the cookie of a balancer in front. */
  readonly cookie: string
  /** What its polls were answered with. */
  readonly answers: string
}

/** The row for some polls, each the requests that it took. */
export function rowOf(polls: readonly Exchange[][]): Row {
  return { sends: whenSent(polls), changes: howAsked(polls), cookie: whatOfCookie(polls), answers: answersTo(polls) }
}

function whenSent(polls: readonly Exchange[][]): string {
  const all = polls.flat()
  const gets = polls.map(poll => poll.filter(({ method }) => method !== 'HEAD'))
  const bare = all.some(({ method, credentials }) => method === 'HEAD' && !credentials) ? ', but not with HEAD' : ''
  const first = gets.map(([one]) => one?.credentials ?? true)
  if (first.every(Boolean)) return `at once${bare}`
  if (first.slice(1).every(Boolean)) return `after a 401, later at once${bare}`
  return `after a 401, each time${bare}`
}

function howAsked(polls: readonly Exchange[][]): string {
  const known = polls.findIndex(poll => poll.some(request => request.known.length > 0))
  if (known >= 0) {
    const names = new Set(polls.flat().flatMap(request => request.known))
    return `by ${[...names].toSorted().join(' and ')}, from the ${ordinal(known)} poll`
  }
  const heads = polls.findIndex(poll => poll.every(({ method }) => method === 'HEAD'))
  return heads < 0 ? 'no' : `by HEAD, from the ${ordinal(heads)} poll`
}

function whatOfCookie(polls: readonly Exchange[][]): string {
  if (polls.slice(1).some(([first]) => first?.cookie)) return 'kept'
  return polls.flat().some(({ cookie }) => cookie) ? 'kept within a poll' : 'not kept'
}

function answersTo(polls: readonly Exchange[][]): string {
  const inWords = ({ method, status }: Exchange) => (method === 'GET' ? String(status) : `${method} ${status}`)
  return polls.map(poll => poll.map(inWords).join(' → ')).join(', ')
}

function ordinal(index: number): string {
  return ['1st', '2nd', '3rd'][index] ?? `${index + 1}th`
}
