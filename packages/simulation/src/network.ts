/**
 * What lies between processes and the services they use: delays, errors before and after an effect, requests that
 * arrive minutes after their sender gave up, duplicates, throttling; and what befalls the processes themselves at any
 * request: crashes and stalls.
 */
import { type LogFields, outcomeUnknown, unavailable } from 'siltstone/internal'
import type { Bucket } from './bucket.ts'
import type { Chance } from './chance.ts'
import type { Incarnation } from './incarnation.ts'
import type { Marks } from './marks.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'
import type { Violation } from './violation.ts'

/** Chances per request, 0 to 1, unless said otherwise. */
export interface Faults {
  /** An error, and nothing happened. */
  before: number
  /** An error, and it happened. */
  after: number
  /** An error, and it happens much later. */
  late: number
  /** It happens again: at once, under the answer (a retry below us), or later. */
  duplicate: number
  throttle: number
  /** A body comes back cut or with a flipped bit. */
  damage: number
  /** The process that asks dies. */
  crash: number
  /** The process that asks freezes. */
  stall: number
  /** It freezes at the put of a log entry, a manifest or a pointer: where it hurts. In addition to `stall`. */
  stallAtCommit: number
  /** A request is slow. */
  slow: number
}

export const noFaults: Faults = {
  before: 0,
  after: 0,
  late: 0,
  duplicate: 0,
  throttle: 0,
  damage: 0,
  crash: 0,
  stall: 0,
  stallAtCommit: 0,
  slow: 0,
}

export interface NetworkOptions {
  scheduler: Scheduler
  bucket: Bucket
  chance: Chance
  trace: Trace
  marks: Marks
  faults: Faults
  /** How long a process freezes at most. */
  stallMs: number
  /** How late a request lands at most after its sender gave up. */
  lateMs: number
  /** A bare producer's delta lands at most this late: see docs/explanation/reliability.md. */
  lateInboxMs: number
  report: (violation: Violation) => void
}

export interface RequestShape<T> {
  what: string
  key: string
  /** Happens in the service, at one moment. */
  effect: () => T
  mutates: boolean
  /** The answer on its way back. */
  onAnswer?: (value: T) => T
}

export class Network {
  readonly scheduler: Scheduler
  readonly bucket: Bucket
  readonly chance: Chance
  readonly trace: Trace
  readonly marks: Marks
  faults: Faults
  readonly stallMs: number
  readonly lateMs: number
  readonly lateInboxMs: number
  /** Requests that were sent and have not had their effect. */
  underway = 0
  damaged = 0
  lastDamageMs = Number.NEGATIVE_INFINITY
  calm = false
  readonly report: (violation: Violation) => void
  /** What the engine's background work logs as an error. */
  onError: (process: Incarnation, event: string, fields: LogFields | undefined) => void = () => {}

  constructor(options: NetworkOptions) {
    this.scheduler = options.scheduler
    this.bucket = options.bucket
    this.chance = options.chance
    this.trace = options.trace
    this.marks = options.marks
    this.faults = options.faults
    this.stallMs = options.stallMs
    this.lateMs = options.lateMs
    this.lateInboxMs = options.lateInboxMs
    this.report = options.report
  }

  /** Faults off: what is underway still arrives. */
  calmDown(): void {
    this.faults = noFaults
    this.calm = true
  }

  delayMs(): number {
    if (this.calm) return 1
    const { chance } = this
    if (chance.one(this.faults.slow)) return chance.one(0.2) ? chance.between(300, 4_000) : chance.between(15, 300)
    return chance.between(0, 12)
  }

  request<T>(from: Incarnation, shape: RequestShape<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!from.alive) return
      const { chance, faults, scheduler } = this
      if (this.calm) {
        this.#send(from, 0, () => this.#answer(from, shape, 0, resolve, reject))
        return
      }
      if (from.mortal && chance.one(faults.crash)) {
        this.marks.hit('process crashed')
        if (shape.mutates && chance.one(0.5)) {
          this.marks.hit('request of a crashed process landed')
          this.#land(this.delayMs(), shape)
        }
        this.trace.add(scheduler.nowMs, from.name, 'crash', shape.what, shape.key)
        from.crash()
        return
      }
      let waitMs = 0
      const atCommit = commits(shape) ? faults.stallAtCommit : 0
      if (chance.one(faults.stall + atCommit)) {
        this.marks.hit('process stalled')
        from.stall(
          chance.one(atCommit > 0 ? 0.15 : 0.5) ? chance.between(500, 10_000) : chance.between(10_000, this.stallMs),
        )
        // Frozen before the request left, or after.
        if (chance.one(0.5)) waitMs = from.stalledForMs
        this.trace.add(scheduler.nowMs, from.name, 'stall', String(from.stalledForMs), shape.key)
      }
      this.#send(from, waitMs, () => this.#transmit(from, shape, resolve, reject))
    })
  }

  #send(from: Incarnation, waitMs: number, run: () => void): void {
    if (waitMs === 0) run()
    else from.at(this.scheduler.nowMs + waitMs, run)
  }

  #transmit<T>(
    from: Incarnation,
    shape: RequestShape<T>,
    resolve: (value: T) => void,
    reject: (error: Error) => void,
  ): void {
    const { chance, faults, scheduler } = this
    const delayMs = this.delayMs()
    const answer = (error: Error, afterMs: number) => from.at(scheduler.nowMs + afterMs, () => reject(error))
    let draw = chance.next()
    const falls = (p: number) => (draw -= p) < 0
    if (falls(faults.before)) {
      this.#note(from, shape, 'before')
      answer(unavailable('injected', 'the request failed before it did anything'), delayMs)
    } else if (falls(faults.throttle)) {
      this.#note(from, shape, 'throttle')
      answer(unavailable('throttled', 'slow down', { retryAfterMs: 100 }), delayMs)
    } else if (shape.mutates && falls(faults.after)) {
      this.#note(from, shape, 'after')
      this.#land(delayMs, shape)
      answer(outcomeUnknown('injected', 'the answer was lost'), delayMs + this.delayMs())
    } else if (shape.mutates && falls(faults.late)) {
      this.#note(from, shape, 'late')
      const limitMs = shape.key.includes('/inbox/') ? this.lateInboxMs : this.lateMs
      const laterMs = chance.one(0.4) ? chance.between(50, Math.min(3_000, limitMs)) : chance.between(50, limitMs)
      this.#land(laterMs, shape)
      answer(outcomeUnknown('injected', 'the request timed out; it is still on its way'), chance.between(20, 1_000))
    } else if (shape.mutates && falls(faults.duplicate)) {
      this.#note(from, shape, 'duplicate')
      if (chance.one(0.5)) {
        // Something below us tried again: the first answer is lost, the second one is what we see.
        this.#land(delayMs, shape)
        this.#answer(from, shape, delayMs + this.delayMs(), resolve, reject)
      } else {
        this.#answer(from, shape, delayMs, resolve, reject)
        this.#land(delayMs + chance.between(1, shape.key.includes('/inbox/') ? this.lateInboxMs : 5_000), shape)
      }
    } else this.#answer(from, shape, delayMs, resolve, reject)
  }

  /** The effect, then the answer. */
  #answer<T>(
    from: Incarnation,
    shape: RequestShape<T>,
    delayMs: number,
    resolve: (value: T) => void,
    reject: (error: Error) => void,
  ): void {
    const { scheduler } = this
    this.underway++
    scheduler.after(this.calm ? 1 : delayMs, () => {
      this.underway--
      let value: T
      try {
        value = this.#effect(shape)
      } catch (error) {
        from.at(scheduler.nowMs, () => reject(error as Error))
        return
      }
      const give = () => resolve(shape.onAnswer ? shape.onAnswer(value) : value)
      // Half of the answers take no time of their own: fewer events, and effect and answer do fall together.
      if (this.calm || this.chance.one(0.6)) from.at(scheduler.nowMs, give)
      else from.at(scheduler.nowMs + this.delayMs(), give)
    })
  }

  /** The effect alone: nobody hears of it. */
  #land<T>(afterMs: number, shape: RequestShape<T>): void {
    this.underway++
    this.scheduler.after(afterMs, () => {
      this.underway--
      try {
        this.#effect(shape)
      } catch (error) {
        this.trace.add(this.scheduler.nowMs, 'nobody', 'failed', shape.key, String(error))
      }
    })
  }

  #effect<T>(shape: RequestShape<T>): T {
    const value = shape.effect()
    this.trace.add(this.scheduler.nowMs, shape.what, shape.key, statusOf(value), '')
    return value
  }

  #note<T>(from: Incarnation, shape: RequestShape<T>, fault: keyof Faults): void {
    this.marks.hit(`fault: ${fault}`)
    this.trace.add(this.scheduler.nowMs, from.name, fault, shape.what, shape.key)
  }
}

function commits<T>({ what, key }: RequestShape<T>): boolean {
  if (what !== 'put') return false
  return key.endsWith('/latest/pointer.txt') || key.includes('/manifest/') || /^delta\/[^/]+\/\d+\.arrow$/.test(key)
}

function statusOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return 'status' in value ? String(value.status) : Object.keys(value).join(',')
}
