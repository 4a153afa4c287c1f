import type { LoginFacts } from './facts.ts'
import type { People } from './people.ts'

/** A layer of sessions with its users, as a card has it. */
export interface CardLogin extends LoginFacts {
  /** What the store knows a session by that is nobody's, and that no cookie can name; null where none could be left there. */
  readonly probe: string | null
  /** Of the backends that tell whom they have, and could be reached. */
  readonly people: readonly People[]
}

/**
 * What an application is to others that share its logins: they run elsewhere, in environments of their own. It holds neither keys nor addresses
 * of servers, nor what could be made into any, nor what helps to guess a password.
 */
export interface Card {
  /** In epoch milliseconds. */
  readonly writtenAt: number
  /** What its fingerprints are made with. */
  readonly salt: string
  /** Where the application is, without query and credentials; null where nobody said. */
  readonly url: string | null
  readonly logins: readonly CardLogin[]
}

/** How long what a card says of stores and people holds, in milliseconds. */
export const LASTS = 3_600_000
/** The member by which a card is told, and which of its forms it has. */
export const MARK = 'koa-strata card'
export const VERSION = 1

/** Whether what it says of stores and people may be another thing by now. */
export function isExpired({ writtenAt }: Card, now: number): boolean {
  return Math.abs(now - writtenAt) >= LASTS
}

/** A card as text. */
export function cardText(card: Card): string {
  return `${JSON.stringify({ [MARK]: VERSION, ...card }, null, 2)}\n`
}
