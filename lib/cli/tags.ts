import type { SessionRecord } from '../sessions/store.ts'
import { CommandFailed, EXIT, notFound, wrongUsage } from './failure.ts'

/** How much of a session's id is shown to people. The store knows sessions by a hash: it logs nobody in. */
const TAG_LENGTH = 12
const LEAST_LENGTH = 6

/** What a session is called in front of people. */
export function tagOf(id: string): string {
  return id.slice(0, TAG_LENGTH)
}

/** The one session whose id begins with this. @throws CommandFailed where there is none, or several */
export function sessionTagged<Session extends SessionRecord & { id: string }>(
  sessions: readonly Session[],
  tag: string,
): Session {
  if (tag.length < LEAST_LENGTH || !/^[\da-f]+$/.test(tag))
    throw wrongUsage(`--session takes what 'koa-strata sessions' shows, at least ${LEAST_LENGTH} characters of it.`)
  const [found, another] = sessions.filter(({ id }) => id.startsWith(tag))
  if (!found) throw notFound(`The user has no session ${tag}.`)
  if (another)
    throw new CommandFailed(EXIT.refused, 'AMBIGUOUS', `Several sessions begin with ${tag}. Give more of it.`)
  return found
}
