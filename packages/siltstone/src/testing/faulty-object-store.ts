/** An object store that fails as a network does: before an effect, after it, or late. The test decides when. */
import { outcomeUnknown, unavailable } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import { interceptedStore, type StoreRequest } from '../ports/forwarding-store.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { Random } from '../ports/random.ts'

/**
 * `before`: refused, nothing applied. `after`: applied, the answer lost. `refused-after`: applied, the answer lost, and
 * repeated by the driver, which now hears that the condition fails. `late`: applied after the answer was given up.
 * `crash-…`: the process ends there.
 */
export type Fault = 'before' | 'after' | 'refused-after' | 'late' | 'crash-before' | 'crash-after'

/** The end of a process. It is no error of the store, so nothing may handle it. */
export class Crash extends Error {}

export interface FaultyOptions {
  /** Asked with the number of the request, from 1. */
  fault?: (request: number, isWrite: boolean) => Fault | undefined
  /** Awaited before a request takes effect and before its answer arrives. */
  pause?: () => Promise<unknown>
  /** Awaited before a `late` request takes effect. */
  lateness?: () => Promise<unknown>
}

/** What one process sees of a store, with faults in between. */
export interface FaultyObjectStore extends ObjectStore {
  /** The requests so far, as `put <key> if-absent`. */
  log: string[]
  /** The number of requests so far. */
  requests: number
  crashed: boolean
  /** How often each fault was injected. */
  injected: Map<Fault, number>
  /** Resolves when every late request has taken effect. */
  settled(): Promise<void>
}

export function faultyObjectStore(inner: ObjectStore, options: FaultyOptions = {}): FaultyObjectStore {
  const underway = new Set<Promise<unknown>>()
  const checkAlive = () => {
    if (store.crashed) throw new Crash('the process has ended')
  }
  const crash = () => {
    store.crashed = true
    return new Crash('the process ends here')
  }
  const sendLate = async (effect: () => Promise<unknown>) => {
    await options.lateness?.()
    await effect()
  }
  const intercepted = interceptedStore(inner, async (request, effect) => {
    checkAlive()
    const what = textOf(request)
    const fault = options.fault?.(++store.requests, request.operation === 'put' || request.operation === 'delete')
    if (fault) store.injected.set(fault, (store.injected.get(fault) ?? 0) + 1)
    store.log.push(what)
    await options.pause?.()
    checkAlive()
    if (fault === 'crash-before') throw crash()
    if (fault === 'before') throw unavailable('injected', `${what}: refused`)
    if (fault === 'late') {
      const late = sendLate(effect)
      underway.add(late)
      void late.finally(() => underway.delete(late))
      throw outcomeUnknown('injected', `${what}: timed out, and still on its way`)
    }
    let answer = await effect()
    if (fault === 'refused-after') answer = await effect()
    if (fault === 'crash-after') throw crash()
    await options.pause?.()
    checkAlive()
    if (fault === 'after') throw outcomeUnknown('injected', `${what}: the answer was lost`)
    return answer
  })
  const store: FaultyObjectStore = Object.assign(intercepted, {
    log: [],
    requests: 0,
    crashed: false,
    injected: new Map<Fault, number>(),
    settled: async () => {
      await Promise.all(underway)
    },
    close: async () => {
      await store.settled()
      await inner.close()
    },
  })
  return store
}

function textOf({ operation, key, condition }: StoreRequest): string {
  if (condition?.ifAbsent) return `${operation} ${key} if-absent`
  return condition?.ifMatch === undefined ? `${operation} ${key}` : `${operation} ${key} if-match`
}

export interface FaultChances {
  /** Chance that a request fails and did nothing. */
  before: number
  /** Chance that a write took effect and its answer was lost. */
  after: number
  /** Chance that a write takes effect only after its answer was given up. */
  late: number
  /** Longest delay before an effect, and before an answer. */
  delayMs: number
}

/** Faults by chance, from a seed. `chances` may change while the store is in use. */
export function randomFaults(chances: FaultChances, random: Random, clock: Clock): FaultyOptions {
  return {
    fault: (_request, isWrite) => {
      if (random.next() < chances.before) return 'before'
      if (!isWrite) return undefined
      if (random.next() < chances.late) return 'late'
      return random.next() < chances.after ? 'after' : undefined
    },
    pause: async () => {
      if (chances.delayMs > 0) await clock.sleep(random.next() * chances.delayMs)
    },
    lateness: () => clock.sleep(chances.delayMs * 20),
  }
}
