/**
 * Spans through the OpenTelemetry API: one per request, one per call of the engine. Without a registered provider the
 * API does nothing, and costs as much.
 */
import {
  type Attributes,
  context,
  isSpanContextValid,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api'
import type { RequestNote, RequestTracer } from '../chroma/options.ts'
import { isSiltstoneError } from '../errors.ts'
import { importOptional } from '../host/optional-package.ts'
import type { Logger } from '../ports/telemetry.ts'

const NAME = 'siltstone'

const headerGetter: TextMapGetter<RequestNote['header']> = {
  get: (header, key) => header(key),
  keys: () => [],
}

/** Continues the trace that the request's headers name (`traceparent`). */
export const requestTracer: RequestTracer = {
  around(note, run) {
    const parent = propagation.extract(context.active(), note.header, headerGetter)
    const attributes = {
      'http.request.method': note.method,
      'http.route': note.route,
      'siltstone.operation': note.operation,
    }
    const options = { kind: SpanKind.SERVER, attributes }
    return trace.getTracer(NAME).startActiveSpan(`${note.method} ${note.route}`, options, parent, async (span) => {
      try {
        const response = await run()
        span.setAttribute('http.response.status_code', response.status)
        if (response.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        return response
      } finally {
        span.end()
      }
    })
  },
  traceId() {
    const spanContext = trace.getActiveSpan()?.spanContext()
    return spanContext !== undefined && isSpanContextValid(spanContext) ? spanContext.traceId : undefined
  },
}

/** Runs `work` in a span of its own; what it throws is noted there and thrown on. */
export function inSpan<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return trace.getTracer(NAME).startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work()
    } catch (error) {
      noteError(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}

function noteError(span: Span, error: unknown): void {
  // What the caller did wrong is no error of the operation.
  const isCallers = isSiltstoneError(error) && ['invalid', 'not-found', 'conflict'].includes(error.kind)
  if (isSiltstoneError(error)) span.setAttribute('siltstone.error', error.code)
  if (isCallers) return
  span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
  span.recordException(error as Error)
}

interface NodeSdk {
  start(): void
  shutdown(): Promise<void>
}

export interface TracingOptions {
  environment: Readonly<Record<string, string | undefined>>
  log: Logger
  /** For tests. */
  load?: (packageName: string, purpose: string) => Promise<unknown>
}

/**
 * Starts OpenTelemetry's SDK when `OTEL_EXPORTER_OTLP_ENDPOINT` is set; the SDK reads all else from the environment.
 * The package `@opentelemetry/sdk-node` is installed only by those who want it; if it is missing, the log says so and
 * nothing is traced.
 *
 * @returns sends what is left and stops
 */
export async function startTracing(options: TracingOptions): Promise<() => Promise<void>> {
  const { environment, log, load = importOptional } = options
  const endpoint = environment['OTEL_EXPORTER_OTLP_ENDPOINT']
  const idle = () => Promise.resolve()
  if (endpoint === undefined || endpoint === '') return idle
  let sdk: NodeSdk
  try {
    const module = await load('@opentelemetry/sdk-node', 'Sending traces to OTEL_EXPORTER_OTLP_ENDPOINT')
    const { NodeSDK } = module as { NodeSDK: new (options: { serviceName: string }) => NodeSdk }
    sdk = new NodeSDK({ serviceName: environment['OTEL_SERVICE_NAME'] ?? NAME })
    sdk.start()
  } catch (error) {
    if (!isSiltstoneError(error, 'unsupported')) throw error
    log.warn('tracing_unavailable', { endpoint, reason: error.message })
    return idle
  }
  log.info('tracing_started', { endpoint })
  return async () => {
    try {
      await sdk.shutdown()
    } catch (error) {
      log.warn('tracing_shutdown_failed', { error })
    }
  }
}
