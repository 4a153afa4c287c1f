import { context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import type { Middleware, ParameterizedContext } from 'koa'

/**
 * A span for each request, active while it is answered, by OpenTelemetry's conventions for HTTP servers. It comes first. The path and the query
 * are left out, since secrets may travel there: the route says enough.
 */
export function requestSpans(tracer: Tracer): Middleware {
  return (ctx, next) => {
    const attributes = {
      'http.request.method': ctx.method,
      'url.scheme': ctx.protocol,
      'client.address': ctx.ip,
    }
    const span = tracer.startSpan(ctx.method, { kind: SpanKind.SERVER, attributes })
    return context.with(trace.setSpan(context.active(), span), async () => {
      try {
        await next()
        end(span, ctx, ctx.status)
      } catch (error) {
        // Koa makes the response of it when everybody has heard of it.
        end(span, ctx, statusOf(error), error)
        throw error
      }
    })
  }
}

function end(span: Span, ctx: ParameterizedContext, status: number, error?: unknown): void {
  const route: unknown = ctx._matchedRoute
  if (typeof route === 'string') span.updateName(`${ctx.method} ${route}`).setAttribute('http.route', route)
  span.setAttribute('http.response.status_code', status)
  if (status >= 500) {
    if (error instanceof Error) span.recordException(error)
    span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}

/** What Koa answers an error with. */
function statusOf(error: unknown): number {
  const { status } = Object(error) as { status?: unknown }
  return typeof status === 'number' ? status : 500
}
