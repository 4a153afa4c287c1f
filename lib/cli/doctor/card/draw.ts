import { newSessionId, storeId } from '../../../sessions/id.ts'
import { within } from '../../deadline.ts'
import { reasonOf } from '../../failure.ts'
import { type Finding, problem } from '../finding.ts'
import { type Card, type CardLogin, LASTS } from './card.ts'
import type { OwnLogin } from './facts.ts'
import { type People, somePeople } from './people.ts'

/**
 * The card of an application, and what kept something from being on it. In each store it leaves a session that is nobody's, and expires with the
 * card.
 */
export async function drawCard(
  logins: readonly OwnLogin[],
  { salt, url }: { salt: string; url: URL | null },
  now: number,
): Promise<{ card: Card; findings: Finding[] }> {
  const findings: Finding[] = []
  const drawn: CardLogin[] = []
  for (const login of logins) {
    const probe = await leaveProbe(login, now).catch(error => {
      findings.push(missing('store', `The store cannot be told by it: ${reasonOf(error)}`))
      return null
    })
    drawn.push({ ...login.facts, probe, people: await peopleOf(login, salt, findings) })
  }
  const address = url && `${url.origin}${url.pathname}`
  return { card: { writtenAt: now, salt, url: address, logins: drawn }, findings }
}

async function leaveProbe({ facts, store }: OwnLogin, now: number): Promise<string | null> {
  if (facts.records !== 'store') return null
  if (!store) throw new Error('it was not reached.')
  const id = storeId(newSessionId())
  await within(store.create(id, { data: { _created: now }, user: null, expiresAt: now + LASTS }))
  return id
}

async function peopleOf({ backends }: OwnLogin, salt: string, findings: Finding[]): Promise<People[]> {
  const all: People[] = []
  for (const backend of backends) {
    try {
      const some = await within(somePeople(backend, salt))
      if (some) all.push(some)
    } catch (error) {
      findings.push(missing('users', `The people of '${backend.name}' cannot be told by it: ${reasonOf(error)}`))
    }
  }
  return all
}

function missing(what: 'store' | 'users', message: string): Finding {
  return problem('card', message, `Others cannot compare their ${what} with it: mend this, and write it again.`)
}
