import { bareCookieName } from '../../../sessions/cookie.ts'
import { moment } from '../../output.ts'
import { type Card, type CardLogin, isExpired } from '../card/card.ts'
import type { OwnLogin } from '../card/facts.ts'
import { type Finding, problem, skipped, warning } from '../finding.ts'
import { compareCookies } from './cookie.ts'
import { compareKeys } from './keys.ts'
import { compareStores } from './store.ts'
import { compareTimeouts } from './timeouts.ts'
import { compareUsers } from './users.ts'

/** What two applications are compared by. */
export interface Compared {
  /** What to call the other one. */
  readonly there: string
  readonly card: Card
  /** The logins here, their fingerprints made with the card's salt. */
  readonly logins: readonly OwnLogin[]
  /** Where the application is that is looked at. */
  readonly url: URL | null
  /** In epoch milliseconds. */
  readonly now: number
}

/** Whether whoever logs in to one of two applications is logged in to the other: as far as can be seen from this one and a card of that one. */
export async function compare({ there, card, logins, url, now }: Compared): Promise<Finding[]> {
  const expired = isExpired(card, now)
  const findings = expired ? [old(there, card)] : []
  const pairs = pairsOf(logins, card.logins)
  if (pairs.length === 0) return [...findings, noneInCommon(there, logins, card.logins)]
  const sites = { own: url, other: card.url === null ? null : new URL(card.url) }
  for (const [own, other] of pairs) {
    const name = pairs.length === 1 ? there : `${there}, cookie ${own.facts.cookie.name}`
    findings.push(
      ...compareKeys(name, own.facts.keys, other.keys),
      ...compareCookies(name, own.facts.cookie, other.cookie, sites),
      ...compareTimeouts(name, own.facts, other),
    )
    if (expired) {
      findings.push(skipped('shared store', `${name}: its card is too old to tell.`, 'Write it again.'))
      findings.push(skipped('shared users', `${name}: its card is too old to tell.`, 'Write it again.'))
    } else {
      findings.push(...(await compareStores(name, own, other)), ...(await compareUsers(name, own, other, card.salt)))
    }
  }
  return findings
}

/**
 * Which logins are to be one. Where an application has several, as by `realms()`, those of one cookie name; and where some of these have one cookie
 * altogether, the others are meant to be apart.
 */
function pairsOf(logins: readonly OwnLogin[], others: readonly CardLogin[]): [OwnLogin, CardLogin][] {
  const [own, other] = [logins[0], others[0]]
  if (own && other && logins.length === 1 && others.length === 1) return [[own, other]]
  const named = logins.flatMap((one): [OwnLogin, CardLogin][] => {
    const found = others.find(({ cookie }) => bareCookieName(cookie.name) === bareCookieName(one.facts.cookie.name))
    return found ? [[one, found]] : []
  })
  const alike = named.filter(([{ facts }, { cookie }]) => facts.cookie.domain !== null && isSame(facts.cookie, cookie))
  return alike.length > 0 ? alike : named
}

function isSame(one: CardLogin['cookie'], other: CardLogin['cookie']): boolean {
  return one.name === other.name && one.domain === other.domain && one.path === other.path
}

function noneInCommon(there: string, logins: readonly OwnLogin[], others: readonly CardLogin[]): Finding {
  const names = (cookies: readonly CardLogin['cookie'][]) => cookies.map(({ name }) => name).join(', ') || 'none'
  return problem(
    'shared cookie',
    `${there}: no session cookie has a name that both know: ${names(logins.map(({ facts }) => facts.cookie))} here, ${names(others.map(({ cookie }) => cookie))} there.`,
    'Give the sessions() that are to be shared the same cookie.name.',
  )
}

function old(there: string, { writtenAt }: Card): Finding {
  return warning(
    'card',
    `${there}: its card is of ${moment(new Date(writtenAt))}, and says for an hour where sessions and users are.`,
    'Write a new one there: koa-strata doctor --app … --write-card …',
  )
}
