import type { UserBackend } from '../../../users/backend.ts'
import { within } from '../../deadline.ts'
import { reasonOf } from '../../failure.ts'
import type { CardLogin } from '../card/card.ts'
import type { BackendFacts, OwnLogin } from '../card/facts.ts'
import { areDated, fingerprintOf, type People, peopleBy } from '../card/people.ts'
import { type Finding, ok, problem, skipped, warning } from '../finding.ts'

const CHECK = 'shared users'

/** Whether the backends of one name are of one kind and know the same people. Their order is each application's own. @param salt the card's */
export async function compareUsers(there: string, own: OwnLogin, other: CardLogin, salt: string): Promise<Finding[]> {
  const [here, elsewhere] = [own.facts.backends, other.backends]
  if (!here || !elsewhere)
    return [skipped(CHECK, `${there}: no users() was found ${here ? 'there' : 'here'} behind sessions().`)]
  const common = elsewhere.filter(({ name }) => here.some(one => one.name === name))
  if (common.length === 0) {
    return [
      problem(
        CHECK,
        `${there}: no backend has a name that both know: ${namesOf(here)} here, ${namesOf(elsewhere)} there.`,
        'A session names the backend of its user: give the one that is shared the same name.',
      ),
    ]
  }
  const findings = [
    ...missing(there, here, elsewhere, 'here', 'there'),
    ...missing(there, elsewhere, here, 'there', 'here'),
  ]
  for (const theirs of common) {
    const ours = here.find(({ name }) => name === theirs.name)!
    const backend = own.backends.find(({ name }) => name === theirs.name)!
    const people = other.people.find(one => one.backend === theirs.name)
    const differences = differencesOf(there, ours, theirs)
    findings.push(...differences)
    if (differences.length === 0 || people) findings.push(await comparePeople(there, theirs, backend, people, salt))
  }
  return findings
}

/** Backends that are at one of the two alone. */
function missing(
  there: string,
  these: readonly BackendFacts[],
  others: readonly BackendFacts[],
  at: string,
  to: string,
): Finding[] {
  return these
    .filter(({ name }) => !others.some(one => one.name === name))
    .map(({ name }) =>
      warning(
        CHECK,
        `${there}: '${name}' is a backend ${at} and none ${to}: whom it logs in ${at} is anonymous ${to}.`,
        `Add it ${to}, if they are to be known there.`,
      ),
    )
}

/** What makes a login of one no login of the other, though they know the same people. */
function differencesOf(there: string, ours: BackendFacts, theirs: BackendFacts): Finding[] {
  const differ = (what: string, advice: string) =>
    problem(CHECK, `${there}: '${ours.name}' ${what}: each ends the logins that the other made.`, advice)
  if (ours.isCarried !== theirs.isCarried) {
    const [carried, loaded] = ours.isCarried ? ['here', 'there'] : ['there', 'here']
    return [
      differ(
        `has its users in the session ${carried}, and loads them ${loaded}`,
        'Give the backend of both a load(), or that of neither.',
      ),
    ]
  }
  if (ours.endsSessions !== theirs.endsSessions) {
    const [ends, keeps] = ours.endsSessions ? ['here', 'there'] : ['there', 'here']
    return [
      differ(
        `ends sessions by itself ${ends}, and has that kept beside the sessions ${keeps}`,
        'Have both end sessions in one way: for sqlUsers() name the same columns, epoch among them.',
      ),
    ]
  }
  const [columns, others] = [ours.stampColumns?.join(', '), theirs.stampColumns?.join(', ')]
  if (columns === undefined || others === undefined || columns === others) return []
  return [
    differ(
      `makes its stamps from ${columns || 'no column'} here and from ${others || 'no column'} there`,
      'Name the same columns in sqlUsers() of both.',
    ),
  ]
}

async function comparePeople(
  there: string,
  { name }: BackendFacts,
  backend: UserBackend,
  people: People | undefined,
  salt: string,
): Promise<Finding> {
  if (!people) return ok(CHECK, `${there}: '${name}' is a backend of both. Whom it knows there is not on the card.`)
  if (people.ids.length === 0)
    return skipped(CHECK, `${there}: '${name}' has nobody there: whether they are the same people cannot be told.`)
  const other = (message: string) =>
    problem(
      CHECK,
      `${there}: '${name}' has other people: ${message}.`,
      'The users table is another one, or a copy: have both use the same. Where somebody has just been renamed or removed, write a new card.',
    )
  try {
    const found = await within(peopleBy(backend, people.ids))
    const lacking = people.ids.length - found.length
    if (lacking > 0) return other(`of ${people.ids.length} who are there, ${lacking} are not here`)
    if (people.isDated && !areDated(found))
      return skipped(
        CHECK,
        `${there}: '${name}' does not say here when its people were made: whether they are the same cannot be told.`,
        'Name the column createdAt in sqlUsers().',
      )
    if (fingerprintOf(salt, found, people.isDated) !== people.fingerprint) return other('the same ids are others here')
    return ok(CHECK, `${there}: '${name}' has the same people (${found.length} compared).`)
  } catch (error) {
    return problem(
      CHECK,
      `${there}: the people of '${name}' cannot be loaded here: ${reasonOf(error)}`,
      'Nobody can be logged in by it: mend this first.',
    )
  }
}

function namesOf(backends: readonly BackendFacts[]): string {
  return backends.map(({ name }) => `'${name}'`).join(', ')
}
