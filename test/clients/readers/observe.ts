import { demoAccounts } from '../../../recipes/job-board/seed.ts'
import { type AtEnd, startBoard, temporaryDirectory } from '../../../recipes/job-board/test-board.ts'
import { turns } from '../../turns.ts'
import type { FeedReader, Follower } from './reader.ts'
import { type Row, rowOf } from './row.ts'
import { type Exchange, Witness } from './witness.ts'

const { ines } = demoAccounts
const POLLS = 3
const EMPLOYER = { user_key: 'sql:1', company: 'Bäckerei Lindenhof', about: '' }
const ANOTHER = { title: 'Miller', place: 'Halle', salary: '', description: 'Flour and water.' }

/** What was seen of a reader that follows a private feed. */
export interface Observed {
  /** What it did in its first three polls. */
  readonly row: Row
  /** The titles that it had then, in the order of the alphabet, and the ones after somebody had posted another opening. */
  readonly titles: { readonly before: string[]; readonly after: string[] }
  /** What one poll by a wrong password was answered with, and the titles that it brought. */
  readonly refused: { readonly statuses: number[]; readonly titles: string[] }
  /** The sessions that there were in the end. */
  readonly sessions: unknown[]
  /** The cookies that the job board set. */
  readonly serverCookies: string[]
  /** The paths beside the feed to which the reader sent the name and the password. */
  readonly strayCredentials: string[]
}

/** Each reader is to find its server quick to answer. */
const inTurn = turns(2)

/** Has a reader poll a feed of a job board of its own, with the name and the password of somebody who may read it. */
export function observe(reader: FeedReader, path = '/feeds/openings.atom'): Promise<Observed> {
  return inTurn(() => untilDone(atEnd => look(reader, path, atEnd)))
}

async function look(reader: FeedReader, path: string, atEnd: AtEnd): Promise<Observed> {
  const board = await startBoard(atEnd)
  const witness = new Witness(board.server, path)
  const follow = <Seen>(password: string, seeing: (follower: Follower) => Promise<Seen>) =>
    untilDone(async atEnd => {
      const feed = { address: board.origin + path, username: ines.username, password }
      return seeing(await reader.subscribe(feed, { home: await temporaryDirectory(atEnd), witness, atEnd }))
    })

  const admitted = await follow(ines.password, async follower => {
    const polls: Exchange[][] = []
    for (let poll = 0; poll < POLLS; poll++) {
      await follower.poll()
      polls.push(witness.take())
    }
    const before = await titlesOf(follower)
    await board.board.openings.post(EMPLOYER, ANOTHER)
    // One that runs on asks again only when it has read the answer to the first.
    for (let poll = 0; poll < 2; poll++) await follower.poll()
    return { row: rowOf(polls), titles: { before, after: await titlesOf(follower) } }
  })
  witness.take()
  const refused = await follow('pässwörd', async follower => {
    await follower.poll()
    return { statuses: witness.take().map(({ status }) => status), titles: await titlesOf(follower) }
  })
  const { serverCookies, strayCredentials } = witness
  return { ...admitted, refused, sessions: await board.database('sessions'), serverCookies, strayCredentials }
}

/** Does something, and then ends what it has started, the latest first. */
async function untilDone<Result>(work: (atEnd: AtEnd) => Promise<Result>): Promise<Result> {
  const ends: (() => unknown)[] = []
  try {
    return await work(end => ends.unshift(end))
  } finally {
    for (const end of ends) await end()
  }
}

async function titlesOf(follower: Follower): Promise<string[]> {
  return (await follower.titles()).toSorted()
}
