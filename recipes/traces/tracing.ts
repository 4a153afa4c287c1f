import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'

/** What makes spans. */
export interface Tracing {
  readonly provider: BasicTracerProvider
  /** Exports what is left and stops. */
  stop(): Promise<void>
}

/**
 * Makes spans and exports each when it ends. Which span is active is kept along asynchronous calls for the whole process, so there is one of
 * these in it. In production take a `BatchSpanProcessor` and the exporter of your collector; `@opentelemetry/sdk-node` does all of this too.
 */
export function startTracing(exporter: SpanExporter): Tracing {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return {
    provider,
    async stop() {
      await provider.shutdown()
      context.disable()
    },
  }
}
