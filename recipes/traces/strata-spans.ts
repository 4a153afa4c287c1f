import { subscribe, type TracingChannelSubscribers, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { type Attributes, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import type { StrataEvents, StrataTraces } from 'koa-strata'

/** What becomes of something that takes its time. */
interface Spans<Told> {
  name(told: Told): string
  /** What is known when it is over. */
  attributes(told: Told): Attributes
}

type Traced = keyof StrataTraces

const SPANS: { [One in Traced]: Spans<StrataTraces[One]> } = {
  'koa-strata:authenticate': {
    name: ({ backend }) => `authenticate ${backend}`,
    attributes: ({ backend, outcome, user }) => ({
      'koa_strata.backend': backend,
      ...(outcome !== undefined && { 'koa_strata.outcome': outcome }),
      ...(user !== undefined && { 'enduser.id': user }),
    }),
  },
  'koa-strata:store': {
    name: ({ operation }) => `session ${operation}`,
    attributes: ({ operation }) => ({ 'koa_strata.operation': operation }),
  },
}

/** Events that say something of the request in which they happen, with what is told of them. */
const EVENTS: { [One in keyof StrataEvents]?: (message: StrataEvents[One]) => Attributes } = {
  'koa-strata:login': ({ user }) => ({ 'enduser.id': user }),
  'koa-strata:logout': ({ user, everywhere }) => ({ 'enduser.id': user, 'koa_strata.everywhere': everywhere }),
  'koa-strata:login-failed': ({ reason }) => ({ 'koa_strata.reason': reason }),
  'koa-strata:throttled': ({ limit }) => ({ 'koa_strata.limit': limit }),
  'koa-strata:session-gone': ({ reason }) => ({ 'koa_strata.reason': reason }),
  'koa-strata:backend-error': ({ backend }) => ({ 'koa_strata.backend': backend }),
}

/**
 * Makes spans of what koa-strata tells, until the function that it answers is called: each login attempt at a backend and each call of the session
 * store is a span below the one that is active, what happens besides is an event of that one.
 */
export function traceStrata(tracer: Tracer): () => void {
  const ends = [
    ...(Object.keys(SPANS) as Traced[]).map(name => spansOf(tracer, name)),
    ...(Object.keys(EVENTS) as (keyof StrataEvents)[]).map(eventsOf),
  ]
  return () => {
    for (const end of ends) end()
  }
}

function spansOf<One extends Traced>(tracer: Tracer, name: One): () => void {
  const { name: nameOf, attributes } = SPANS[name]
  type Told = StrataTraces[One]
  const spans = new WeakMap<Told, Span>()
  const subscribers = {
    start(told: Told) {
      spans.set(told, tracer.startSpan(nameOf(told)))
    },
    error(told: Told) {
      const { code = 'unknown', cause } = Object(told.error) as { code?: string; cause?: unknown }
      const span = spans.get(told)
      span?.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', code)
      if (cause instanceof Error) span?.recordException(cause)
    },
    asyncEnd(told: Told) {
      spans.get(told)?.setAttributes(attributes(told)).end()
    },
    end() {},
    asyncStart() {},
  } as TracingChannelSubscribers<Told>
  const channel = tracingChannel<unknown, Told>(name)
  channel.subscribe(subscribers)
  return () => channel.unsubscribe(subscribers)
}

function eventsOf<One extends keyof StrataEvents>(name: One): () => void {
  const listener = (message: unknown) =>
    trace.getActiveSpan()?.addEvent(name, EVENTS[name]!(message as StrataEvents[One]))
  subscribe(name, listener)
  return () => unsubscribe(name, listener)
}
