import { parse } from 'node:path'
import type { SessionStore } from '../../sessions/store.ts'
import { reasonOf } from '../failure.ts'
import { moment } from '../output.ts'
import type { InspectedApp } from './app.ts'
import { type Card, LASTS } from './card/card.ts'
import { drawCard } from './card/draw.ts'
import { loginsOf } from './card/facts.ts'
import { readCard, writeCard } from './card/file.ts'
import { newSalt } from './card/fingerprint.ts'
import { compare } from './comparison/compare.ts'
import { type Finding, ok, problem } from './finding.ts'

/** What to do about other applications that share a login with the one that is looked at. */
export interface SharedLogin {
  /** The file to write this application's card to. */
  readonly writeCard?: string | undefined
  /** The files with the cards of others; '-' is stdin. */
  readonly compare?: readonly string[] | undefined
  /** Where this application is. */
  readonly url: URL | null
  /** The store in place of the application's own: null where it cannot be reached, undefined where none was named. */
  readonly named: SessionStore | null | undefined
  /** In epoch milliseconds. */
  readonly now: number
}

const CHECK = 'card'

/** Writes the card of an application, and compares it with those of others. */
export async function checkSharedLogin(inspected: InspectedApp, shared: SharedLogin): Promise<Finding[]> {
  const findings: Finding[] = []
  if (shared.writeCard !== undefined) findings.push(...(await written(inspected, shared.writeCard, shared)))
  for (const path of shared.compare ?? []) findings.push(...(await compared(inspected, path, shared)))
  return findings
}

async function written(
  inspected: InspectedApp,
  path: string,
  { url, named, now }: SharedLogin,
): Promise<readonly Finding[]> {
  if (inspected.sessions.length === 0)
    return [
      problem(
        CHECK,
        'No card was written: no sessions() was found in the app.',
        'Hand it to app.use(), alone or in a stack().',
      ),
    ]
  const salt = newSalt()
  const { card, findings } = await drawCard(loginsOf(inspected, salt, named), { salt, url }, now)
  try {
    await writeCard(path, card)
  } catch (error) {
    return [...findings, problem(CHECK, `${path} cannot be written: ${reasonOf(error)}`, 'Name another file.')]
  }
  const until = moment(new Date(now + LASTS))
  return [
    ...findings,
    ok(CHECK, `${path} is written, without a secret. Until ${until} others can be compared with it.`),
  ]
}

async function compared(
  inspected: InspectedApp,
  path: string,
  { url, named, now }: SharedLogin,
): Promise<readonly Finding[]> {
  let card: Card
  try {
    card = await readCard(path)
  } catch (error) {
    return [
      problem(
        CHECK,
        `${path === '-' ? 'stdin' : path} cannot be compared with: ${reasonOf(error)}`,
        'Write it where the other application is: koa-strata doctor --app … --write-card …',
      ),
    ]
  }
  const there = path === '-' ? 'the other' : parse(path).name
  return compare({ there, card, logins: loginsOf(inspected, card.salt, named), url, now })
}
