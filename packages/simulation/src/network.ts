/**
 * The network between processes and services: delays, errors before and after an effect, requests that arrive minutes
 * after their sender gave up, duplicates, throttling; and crashes and stalls of processes, which happen at requests.
 */
import { type LogFields, outcomeUnknown, type SiltstoneError, unavailable } from 'siltstone/internal'
import type { Bucket } from './bucket.ts'
import type { Chance } from './chance.ts'
import type { Incarnation } from './incarnation.ts'
import type { Marks } from './marks.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'
import type { Violation } from './violation.ts'

/** Probabilities per request. */
export interface Faults {
  /** The request fails and has no effect. */
  before: number
  /** The request takes effect and fails. */
  after: number
  /** The request fails and takes effect much later. */
  late: number
  /** The request takes effect twice: before the answer (a hidden retry) or later. */
  duplicate: number
  throttle: number
  /** A body arrives truncated or with a flipped bit. */
  damage: number
  /** The requesting process crashes. */
  crash: number
  /** The requesting process stalls. */
  stall: number
  /** The process stalls at the put of a log entry, a manifest or a pointer, in addition to `stall`. */
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

/**
 * A time in which the store refuses writes: its disk is full, or the right to write was taken away. Reads are answered.
 * What was sent before arrives.
 */
export interface Refusal {
  code: 'disk-full' | 'access-denied'
  fromMs: number
  untilMs: number
  /** Only processes whose name begins with this. */
  of: string
}

export interface NetworkOptions {
  scheduler: Scheduler
  bucket: Bucket
  chance: Chance
  trace: Trace
  marks: Marks
  faults: Faults
  /** The longest stall of a process. */
  stallMs: number
  /** The longest time between the sender's giving up and the effect of a late request. */
  lateMs: number
  /** The same for the delta of a bare producer: see docs/explanation/reliability.md. */
  lateInboxMs: number
  refusals: readonly Refusal[]
  report: (violation: Violation) => void
}

export interface RequestShape<T> {
  what: string
  key: string
  /** Takes effect in the service at one moment. */
  effect: () => T
  mutates: boolean
  /** Called with the answer on its way back. */
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
  readonly #refusals: readonly Refusal[]
  /** Requests that were sent and have not taken effect. */
  underway = 0
  damaged = 0
  lastDamageMs = Number.NEGATIVE_INFINITY
  calm = false
  readonly report: (violation: Violation) => void
  /** Called for errors that the engine's background work logs. */
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
    this.#refusals = options.refusals
    this.report = options.report
  }

  /** Ends all faults. Requests on their way still arrive. */
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

  /** The refusal of a write to the store that is sent now. */
  refusal(from: Incarnation, what: 'put' | 'delete'): SiltstoneError | undefined {
    const nowMs = this.scheduler.nowMs
    const found = this.#refusals.find(
      ({ code, fromMs, untilMs, of }) =>
        fromMs <= nowMs && nowMs < untilMs && from.name.startsWith(of) && (what === 'put' || code === 'access-denied'),
    )
    if (this.calm || !found) return undefined
    this.marks.hit(`refused: ${found.code}`)
    return unavailable(found.code, 'the store refuses to write')
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
        const ms = chance.one(atCommit > 0 ? 0.15 : 0.5)
          ? chance.between(500, 10_000)
          : chance.between(10_000, this.stallMs)
        // A put of a delta that is sent later than keys are remembered may be applied twice: see docs/explanation/reliability.md.
        from.stall(shape.mutates && shape.key.includes('/inbox/') ? Math.min(ms, this.lateInboxMs) : ms)
        // The stall begins before or after the request was sent.
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
    const refused = shape.what === 'put' ? this.refusal(from, 'put') : undefined
    if (refused) {
      this.trace.add(scheduler.nowMs, from.name, refused.code, shape.what, shape.key)
      answer(refused, delayMs)
      return
    }
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
        // A layer below repeated the request: the first answer is lost, and the process sees the second one.
        this.#land(delayMs, shape)
        this.#answer(from, shape, delayMs + this.delayMs(), resolve, reject)
      } else {
        this.#answer(from, shape, delayMs, resolve, reject)
        this.#land(delayMs + chance.between(1, shape.key.includes('/inbox/') ? this.lateInboxMs : 5_000), shape)
      }
    } else this.#answer(from, shape, delayMs, resolve, reject)
  }

  /** Applies the effect, then sends the answer. */
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
      // Half of the answers take no extra time: this saves events, and covers an effect and answer at the same moment.
      if (this.calm || this.chance.one(0.6)) from.at(scheduler.nowMs, give)
      else from.at(scheduler.nowMs + this.delayMs(), give)
    })
  }

  /** Applies the effect without an answer. */
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
