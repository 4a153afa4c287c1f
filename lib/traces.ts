import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import { escapeControls } from './events.ts'

/**
 * What takes its time, on the tracing channels of `node:diagnostics_channel`, `tracingChannel(name)`: `start` when it begins, `asyncEnd` when it
 * is over, `error` before that where it failed. `start.bindStore()` gives what happens within a context of its own. All messages of one call
 * are one object, as described here, and hold nothing that went in or came out: no credentials, no id of a session, no data.
 */
export interface StrataTraces {
  /** A backend is asked who has some credentials. */
  'koa-strata:authenticate': {
    backend: string
    /** What it said, when it is over. Absent where it failed. */
    outcome?: 'known' | 'inactive' | 'unknown' | 'denied'
    /** The key of the user whom it knows. */
    user?: string
    /** What is thrown: `cause` is what the backend threw, as it was. */
    error?: unknown
  }
  /** A call of the session store, with its deadline. Sweeps, which no request waits for, are not told. */
  'koa-strata:store': {
    operation: string
    /** What is thrown: `cause` is what the store threw, as it was. */
    error?: unknown
  }
}

const channels = {
  'koa-strata:authenticate': tracingChannel('koa-strata:authenticate'),
  'koa-strata:store': tracingChannel('koa-strata:store'),
} satisfies Record<keyof StrataTraces, TracingChannel>

/**
 * Makes a call and tells when it begins and ends; where nobody listens the call is all that happens.
 * @param begun what is told from the beginning @param over what is told of the answer besides
 */
export function traced<Name extends keyof StrataTraces, Answer>(
  name: Name,
  begun: StrataTraces[Name],
  call: () => Promise<Answer>,
  over?: (answer: Answer) => Partial<StrataTraces[Name]>,
): Promise<Answer> {
  const channel: TracingChannel = channels[name]
  if (!channel.hasSubscribers) return call()
  return toldBy(channel, escapeControls(begun), call, over)
}

async function toldBy<Told extends object, Answer>(
  channel: TracingChannel,
  told: Told,
  call: () => Promise<Answer>,
  over?: (answer: Answer) => Partial<Told>,
): Promise<Answer> {
  let answer!: Answer
  // The answer itself stays with the caller: Node would hand it to whoever listens.
  const withoutAnswer = async () => {
    answer = await call()
    if (over) Object.assign(told, escapeControls(over(answer)))
  }
  await channel.tracePromise(withoutAnswer, told)
  return answer
}
