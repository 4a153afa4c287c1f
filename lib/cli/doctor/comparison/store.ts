import { within } from '../../deadline.ts'
import { reasonOf } from '../../failure.ts'
import type { CardLogin } from '../card/card.ts'
import type { OwnLogin } from '../card/facts.ts'
import { type Finding, ok, problem, skipped, warning } from '../finding.ts'

const CHECK = 'shared store'

/** Whether sessions are kept in one place: the session that the card's writer left in its store must be found in this one. */
export async function compareStores(there: string, own: OwnLogin, other: CardLogin): Promise<Finding[]> {
  const { data, records } = own.facts
  if (data !== other.data) {
    const [inCookies, inStore] = data === 'cookie' ? ['here', 'there'] : ['there', 'here']
    return [
      problem(
        CHECK,
        `${there}: sessions are in cookies ${inCookies} and in a store ${inStore}: neither reads those of the other.`,
        'Hand sessions() of both the same kind of store.',
      ),
    ]
  }
  const inMemory = [...(records === 'memory' ? ['here'] : []), ...(other.records === 'memory' ? ['there'] : [])]
  if (inMemory.length > 0) {
    return [
      problem(
        CHECK,
        `${there}: ${inMemory.join(' and ')} the store is the memory of one process, which no other one sees.`,
        'Hand both a store that is a server, a database or a directory.',
      ),
    ]
  }
  if (records !== other.records) return [withoutEpochs(there, records === 'none' ? 'here' : 'there')]
  if (records === 'none') return [ok(CHECK, `${there}: sessions are in the cookie, and no epochs are kept.`)]
  if (other.probe === null)
    return [skipped(CHECK, `${there}: its store was not reached when its card was written.`, 'Write it again.')]
  return [await probed(there, own, other.probe)]
}

function withoutEpochs(there: string, at: string): Finding {
  return warning(
    CHECK,
    `${there}: ${at} cookieStore() has no store for epochs: users whose backend has no endSessions() are not ended by a logout elsewhere.`,
    'Hand cookieStore() of both the same store: cookieStore({ epochs }).',
  )
}

async function probed(there: string, { facts, store }: OwnLogin, probe: string): Promise<Finding> {
  if (!store) return skipped(CHECK, `${there}: the store here was not reached.`, 'Mend that first.')
  const what = facts.data === 'cookie' ? 'epochs' : 'sessions'
  try {
    if (await within(store.read(probe))) return ok(CHECK, `${there}: what it left among its ${what} is found here.`)
  } catch (error) {
    return skipped(CHECK, `${there}: the store here does not answer: ${reasonOf(error)}`, 'Mend that first.')
  }
  return problem(
    CHECK,
    `${there}: what it left among its ${what} a while ago is not found here: logins of one are unknown to the other.`,
    'It is another server, database, table, prefix or directory: hand both the same.',
  )
}
