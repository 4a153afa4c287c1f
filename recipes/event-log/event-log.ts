import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { SessionGone, StrataEvents } from 'koa-strata'
import type { Logger } from 'pino'
import { FewAMinute } from './few-a-minute.ts'

type Level = 'info' | 'warn' | 'error'
type Name = keyof StrataEvents

/** Cookies that no browser of ours would send. */
const SUSPICIOUS: readonly SessionGone[] = ['bad-cookie', 'duplicate-cookie', 'corrupt']

/** What each event is to whoever reads the log. An event that is missing here is an error of the type checker. */
const LINES: { [One in Name]: (message: StrataEvents[One]) => [Level, string] } = {
  'koa-strata:login': () => ['info', 'logged in'],
  'koa-strata:logout': ({ everywhere }) => ['info', everywhere ? 'logged out everywhere' : 'logged out'],
  'koa-strata:login-failed': ({ reason }) => ['warn', `login refused: ${reason}`],
  'koa-strata:throttled': ({ limit }) => ['warn', `login not looked at: too many failed (${limit})`],
  'koa-strata:throttle-error': () => ['error', 'failed logins are counted by this process alone'],
  'koa-strata:session-gone': ({ reason }) => [SUSPICIOUS.includes(reason) ? 'warn' : 'info', `session gone: ${reason}`],
  'koa-strata:store-error': ({ operation }) => ['error', `session store failed: ${operation}`],
  'koa-strata:backend-error': ({ backend }) => ['error', `backend failed: ${backend}`],
  'koa-strata:cookie-domain': ({ domain, host }) => ['warn', `the cookie of ${domain} is not for ${host}`],
}

/** Events that a stranger can bring about as often as they like: so many lines a minute, the others are counted. */
const LIMITED: readonly Name[] = ['koa-strata:login-failed', 'koa-strata:throttled', 'koa-strata:session-gone']
const MOST_LINES = 10

/**
 * Logs what koa-strata tells, a line for each event, until the function that it answers is called. The lines have the fields of the event, its
 * name as `event`, and an error as `err`.
 * @param now the clock, in epoch milliseconds
 */
export function logEvents(log: Logger, now: () => number = Date.now): () => void {
  const ends = (Object.keys(LINES) as Name[]).map(name => logEvent(log, name, now))
  return () => {
    for (const end of ends) end()
  }
}

function logEvent<One extends Name>(log: Logger, name: One, now: () => number): () => void {
  const event = name.replace('koa-strata:', '')
  const few = LIMITED.includes(name) ? new FewAMinute(MOST_LINES, now) : null
  const tellLeft = (count: number) => log.warn({ event, count }, `${count} more of these within a minute`)
  const listener = (told: unknown) => {
    if (few && !few.admits(tellLeft)) return
    const message = told as StrataEvents[One]
    const { error, ...fields } = message as { error?: unknown }
    const [level, text] = LINES[name](message)
    log[level]({ event, ...fields, ...(error !== undefined && { err: error }) }, text)
  }
  subscribe(name, listener)
  return () => {
    unsubscribe(name, listener)
    few?.end(tellLeft)
  }
}
