import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../../ports/clock.ts'
import { interceptedStore, receivedBytes } from '../../ports/forwarding-store.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import type { RequestTrace, RequestTracer } from '../../ports/request-trace.ts'

interface TimedRequest {
  startMs: number
  endMs: number
  bytes: number
}

/** The store with its requests recorded, and the tracer that tells which of them a piece of work made. */
export function tracedObjectStore(inner: ObjectStore, clock: Clock): { store: ObjectStore; tracer: RequestTracer } {
  const recording = new AsyncLocalStorage<TimedRequest[]>()
  const store = interceptedStore(inner, async ({ operation }, send) => {
    const requests = recording.getStore()
    if (requests === undefined || operation === 'upload') return send()
    const startMs = clock.monotonicMs()
    const answer = await send()
    requests.push({ startMs, endMs: clock.monotonicMs(), bytes: receivedBytes(answer) })
    return answer
  })
  const tracer: RequestTracer = {
    trace: async (work) => {
      const requests: TimedRequest[] = []
      const result = await recording.run(requests, work)
      return { result, trace: summaryOf(requests) }
    },
  }
  return { store, tracer }
}

function summaryOf(requests: readonly TimedRequest[]): RequestTrace {
  let rounds = 0
  let lastEndMs = Number.NEGATIVE_INFINITY
  for (const { startMs, endMs } of [...requests].sort((a, b) => a.endMs - b.endMs))
    if (startMs >= lastEndMs) {
      rounds++
      lastEndMs = endMs
    }
  return { requests: requests.length, bytes: requests.reduce((sum, { bytes }) => sum + bytes, 0), rounds }
}
