/**
 * Spans through the OpenTelemetry API: one per request, one per call of the engine. The API is a package that only users
 * of telemetry install: it is loaded when `OTEL_EXPORTER_OTLP_ENDPOINT` is set, or when a program that was started
 * before (`node --import …`) has registered a provider.
 */
import type { Attributes, Span, TextMapGetter } from '@opentelemetry/api'
import type { RequestNote, RequestTracer } from '../chroma/options.ts'
import { isSiltstoneError } from '../errors.ts'
import { importOptional } from '../host/optional-package.ts'
import type { Logger } from '../ports/telemetry.ts'

type Api = typeof import('@opentelemetry/api')

const NAME = 'siltstone'

const headerGetter: TextMapGetter<RequestNote['header']> = {
  get: (header, key) => header(key),
  keys: () => [],
}

/** Runs `work` in a span of its own; an error that it throws is noted there and thrown on. */
export type InSpan = <T>(name: string, attributes: Attributes, work: () => Promise<T>) => Promise<T>

export interface Tracing {
  /** Continues the trace that the request's headers name (`traceparent`). */
  requests: RequestTracer
  inSpan: InSpan
  /** Sends the spans that are left and stops. */
  stop: () => Promise<void>
}

/** @param stop ends the SDK */
export function tracingOver(api: Api, stop: () => Promise<void> = () => Promise.resolve()): Tracing {
  const { context, isSpanContextValid, propagation, SpanKind, SpanStatusCode, trace } = api

  const requests: RequestTracer = {
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

  const noteError = (span: Span, error: unknown): void => {
    // A mistake of the caller is not an error of the operation.
    const isCallers = isSiltstoneError(error) && ['invalid', 'not-found', 'conflict'].includes(error.kind)
    if (isSiltstoneError(error)) span.setAttribute('siltstone.error', error.code)
    if (isCallers) return
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
    span.recordException(error as Error)
  }

  const inSpan: InSpan = (name, attributes, work) =>
    trace.getTracer(NAME).startActiveSpan(name, { attributes }, async (span) => {
      try {
        return await work()
      } catch (error) {
        noteError(span, error)
        throw error
      } finally {
        span.end()
      }
    })

  return { requests, inSpan, stop }
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

/** Where every copy of the OpenTelemetry API keeps the registered providers. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1')

/**
 * Starts OpenTelemetry's SDK when `OTEL_EXPORTER_OTLP_ENDPOINT` is set; the SDK reads its other settings from the
 * environment. The packages `@opentelemetry/sdk-node` and `@opentelemetry/api` are optional; if one is missing, the log
 * says so and nothing is traced.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const { environment, log, load = importOptional } = options
  const endpoint = environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? ''
  const isRegistered = REGISTERED in globalThis
  if (endpoint === '' && !isRegistered) return undefined
  let api: Api | undefined
  try {
    api = (await load('@opentelemetry/api', 'Tracing')) as Api
    if (endpoint === '') return tracingOver(api)
    const module = await load('@opentelemetry/sdk-node', 'Sending traces to OTEL_EXPORTER_OTLP_ENDPOINT')
    const { NodeSDK } = module as { NodeSDK: new (options: { serviceName: string }) => NodeSdk }
    const sdk = new NodeSDK({ serviceName: environment['OTEL_SERVICE_NAME'] ?? NAME })
    sdk.start()
    log.info('tracing_started', { endpoint })
    return tracingOver(api, () => shutDown(sdk, log))
  } catch (error) {
    if (!isSiltstoneError(error, 'unsupported')) throw error
    log.warn('tracing_unavailable', { endpoint, reason: error.message })
    return api && isRegistered ? tracingOver(api) : undefined
  }
}

async function shutDown(sdk: NodeSdk, log: Logger): Promise<void> {
  try {
    await sdk.shutdown()
  } catch (error) {
    log.warn('tracing_shutdown_failed', { error })
  }
}
