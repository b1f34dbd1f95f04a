import { AsyncLocalStorage } from 'node:async_hooks'
import * as openTelemetry from '@opentelemetry/api'
import {
  type Attributes,
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type TextMapPropagator,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testApi } from '../chroma/testing/api.ts'
import { unsupported } from '../errors.ts'
import { ModelEngine } from '../testing/model.ts'
import { Recorder } from '../testing/recorder.ts'
import { tracedEngine } from './traced-engine.ts'
import { startTracing, tracingOver } from './tracing.ts'

interface Recorded {
  name: string
  parent: string | undefined
  context: SpanContext
  attributes: Attributes
  failed: boolean
  ended: boolean
}

/** As small a provider as the API allows. */
function recordSpans(): Recorded[] {
  const spans: Recorded[] = []
  const startSpan: Tracer['startSpan'] = (name, options = {}, parentContext = context.active()) => {
    const parent = trace.getSpanContext(parentContext)
    const spanId = String(spans.length + 1).padStart(16, '0')
    const spanContext = { traceId: parent?.traceId ?? 'a'.repeat(32), spanId, traceFlags: TraceFlags.SAMPLED }
    const recorded: Recorded = {
      name,
      parent: parent?.spanId,
      context: spanContext,
      attributes: { ...options.attributes },
      failed: false,
      ended: false,
    }
    spans.push(recorded)
    const span = {
      spanContext: () => spanContext,
      setAttribute: (key: string, value: string) => void (recorded.attributes[key] = value),
      setStatus: () => void (recorded.failed = true),
      recordException: () => {},
      end: () => void (recorded.ended = true),
    }
    return span as unknown as Span
  }
  const startActiveSpan = (name: string, ...rest: unknown[]) => {
    const work = rest.pop() as (span: Span) => unknown
    const [options, parent = context.active()] = rest as [Parameters<Tracer['startSpan']>[1], Context?]
    const span = startSpan(name, options, parent)
    return context.with(trace.setSpan(parent, span), () => work(span))
  }
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan, startActiveSpan }) as Tracer })
  return spans
}

function activeContexts(): ContextManager {
  const storage = new AsyncLocalStorage<Context>()
  const manager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active: Context, work: (...all: unknown[]) => unknown, self: unknown, ...all: unknown[]) =>
      storage.run(active, () => work.apply(self, all)),
    bind: (_: Context, target: unknown) => target,
    enable: () => manager,
    disable: () => manager,
  }
  return manager as unknown as ContextManager
}

const traceparent: TextMapPropagator = {
  inject: () => {},
  extract(parent, carrier, getter) {
    const text = getter.get(carrier, 'traceparent')
    const [, traceId, spanId] = typeof text === 'string' ? text.split('-') : []
    if (traceId === undefined || spanId === undefined) return parent
    return trace.setSpanContext(parent, { traceId, spanId, traceFlags: TraceFlags.SAMPLED })
  },
  fields: () => ['traceparent'],
}

describe('spans', () => {
  let spans: Recorded[] = []
  beforeEach(() => {
    context.setGlobalContextManager(activeContexts())
    propagation.setGlobalPropagator(traceparent)
    spans = recordSpans()
  })
  afterEach(() => {
    for (const api of [trace, context, propagation]) api.disable()
  })

  const { inSpan, requests } = tracingOver(openTelemetry)
  const traced = () => testApi(tracedEngine(new ModelEngine(), inSpan), { tracer: requests })

  it('has one for the request and one for each call of the engine in it', async () => {
    const api = traced()
    const path = await api.collection('things')
    spans.length = 0
    await api.db('POST', `${path}/add`, { ids: ['a', 'b'], embeddings: [[1], [2]] })
    expect(spans.map(({ name }) => name)).toEqual([
      'POST /api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}/add',
      'engine.collection',
      'collection.write',
    ])
    const [request, ...calls] = spans
    expect(request?.attributes).toMatchObject({
      'http.response.status_code': 201,
      'siltstone.operation': 'collection_add',
    })
    expect(calls.map(({ parent }) => parent)).toEqual([request?.context.spanId, request?.context.spanId])
    expect(calls[1]?.attributes).toMatchObject({ 'siltstone.operations': 2, 'siltstone.tenant': 'default_tenant' })
    expect(spans.every(({ ended, failed }) => ended && !failed)).toBe(true)
  })

  it('continues the trace of the caller, and names it in error answers', async () => {
    const api = traced()
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
    const answer = await api.call('GET', '/api/v2/tenants/nobody', undefined, headers)
    expect(answer.headers.get('chroma-trace-id')).toBe(traceId)
    expect(spans[0]).toMatchObject({ parent: '00f067aa0ba902b7', failed: false })
    expect(spans[1]).toMatchObject({
      name: 'catalog.getTenant',
      attributes: { 'siltstone.error': 'tenant-missing' },
      failed: false,
    })
  })

  it('marks what failed', async () => {
    const engine = new ModelEngine()
    const collection = async () => {
      throw new Error('broken')
    }
    const broken = { catalog: engine.catalog, close: () => engine.close(), collection }
    const api = testApi(tracedEngine(broken, inSpan), { tracer: requests })
    await api.db('POST', '/collections/11111111-1111-4111-8111-111111111111/get', {})
    expect(spans.map(({ failed }) => failed)).toEqual([true, true])
  })
})

describe('startTracing', () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }

  const registered = Symbol.for('opentelemetry.js.api.1')
  // The API's own entry: what other tests registered stays out of these.
  const before = (globalThis as Record<symbol, unknown>)[registered]
  beforeEach(() => Reflect.deleteProperty(globalThis, registered))
  afterEach(() => {
    if (before !== undefined) (globalThis as Record<symbol, unknown>)[registered] = before
  })

  it('loads nothing unless it is configured', async () => {
    const log = new Recorder()
    const load = () => Promise.reject(new Error('not to be loaded'))
    expect(await startTracing({ environment: {}, log, load })).toBeUndefined()
    expect(log.events).toEqual([])
  })

  it('uses a provider that was registered before, without the SDK', async () => {
    recordSpans()
    const loaded: string[] = []
    const load = async (name: string) => {
      loaded.push(name)
      return openTelemetry
    }
    expect(await startTracing({ environment: {}, log: new Recorder(), load })).toHaveProperty('inSpan')
    expect(loaded).toEqual(['@opentelemetry/api'])
  })

  it('starts the SDK and stops it', async () => {
    const events: string[] = []
    class NodeSDK {
      constructor({ serviceName }: { serviceName: string }) {
        events.push(serviceName)
      }
      start() {
        events.push('start')
      }
      async shutdown() {
        events.push('shutdown')
      }
    }
    const load = async (name: string) => (name === '@opentelemetry/api' ? openTelemetry : { NodeSDK })
    const tracing = await startTracing({ environment, log: new Recorder(), load })
    await tracing?.stop()
    expect(events).toEqual(['siltstone', 'start', 'shutdown'])
  })

  it('says what to install when it is not there', async () => {
    const log = new Recorder()
    const load = async () => {
      throw unsupported('package-missing', 'install it')
    }
    expect(await startTracing({ environment, log, load })).toBeUndefined()
    expect(log.eventsNamed('tracing_unavailable')).toEqual([
      { endpoint: 'http://127.0.0.1:4318', reason: 'install it' },
    ])
  })
})
