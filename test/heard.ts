import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ExecutionContext } from 'ava'
import type { StrataEvents } from 'koa-strata'

/** What is told of one kind of event from now on until the test ends, by whatever runs beside it too. */
export function heard<Name extends keyof StrataEvents>(t: ExecutionContext, name: Name): StrataEvents[Name][] {
  const messages: StrataEvents[Name][] = []
  const listener = (message: unknown) => messages.push(message as StrataEvents[Name])
  subscribe(name, listener)
  t.teardown(() => unsubscribe(name, listener))
  return messages
}
