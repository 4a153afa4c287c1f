import Koa from 'koa'
import { type SessionStore, sessions, stack, type UserBackend, users } from 'koa-strata'
import { inspect } from '../../../lib/cli/doctor/app.ts'
import { type Card, cardText } from '../../../lib/cli/doctor/card/card.ts'
import { drawCard } from '../../../lib/cli/doctor/card/draw.ts'
import { loginsOf } from '../../../lib/cli/doctor/card/facts.ts'
import { newSalt } from '../../../lib/cli/doctor/card/fingerprint.ts'
import { parseCard } from '../../../lib/cli/doctor/card/parse.ts'
import { compare } from '../../../lib/cli/doctor/comparison/compare.ts'
import type { Finding } from '../../../lib/cli/doctor/finding.ts'
import type { SessionsOptions } from '../../../lib/sessions/options.ts'
import type { AnyMiddleware } from '../../../lib/stack.ts'

/** An application as it is deployed. */
export interface Deployment {
  readonly app: Koa
  readonly url: string | null
}

/** What an application is made of. */
export interface Made extends SessionsOptions {
  /** @default none: no users() */
  backends?: readonly UserBackend[]
  url?: string | null
}

export const KEYS = [
  'nGWpFhU0aLkq3f8mCzE1tYx6RvB2sJdO',
  'Qm4ZkT9yHb7cXe2wVn5uLr8pSg1aDf3J',
  'e8RtYu2IoP5aSdF7gHjK1lZxC4vBnM9q',
]

/** An application with one login. */
export function deployment({ backends, url = null, ...options }: Made = {}): Deployment {
  const layer = sessions({ keys: KEYS.slice(0, 1), ...options })
  return deployed([backends ? stack(layer, users({ backends })) : layer], url)
}

/** An application of these middlewares. */
export function deployed(middleware: readonly AnyMiddleware[], url: string | null = null): Deployment {
  const app = new Koa()
  for (const one of middleware) app.use(one)
  return { app, url }
}

/** The card of an application, as another one reads it, and what kept something from being on it. */
export async function drawn({ app, url }: Deployment, named?: SessionStore | null) {
  const salt = newSalt()
  const logins = loginsOf(inspect(app), salt, named)
  const { card, findings } = await drawCard(logins, { salt, url: url === null ? null : new URL(url) }, Date.now())
  return { card: parseCard(cardText(card)), text: cardText(card), findings }
}

/** What the doctor says of an application beside the card of another. @param check what to say it of; everything without */
export async function compared(own: Deployment, card: Card, check = '', now = Date.now()): Promise<Finding[]> {
  const logins = loginsOf(inspect(own.app), card.salt, undefined)
  const url = own.url === null ? null : new URL(own.url)
  const found = await compare({ there: 'shop', card, logins, url, now })
  return found.filter(one => one.check === check || check === '')
}

/** The same of an application beside another, both ways: each finding's status. */
export async function bothWays(one: Deployment, other: Deployment, check: string): Promise<Finding['status'][][]> {
  const there = await compared(one, (await drawn(other)).card, check)
  const back = await compared(other, (await drawn(one)).card, check)
  return [there, back].map(found => found.map(({ status }) => status))
}
