/**
 * One job in a child process, seen from outside. The child is ended when the job
 *
 * | fails so | the error |
 * |---|---|
 * | stays in one step longer than its time | `unavailable`, code `step-timeout`: perhaps the machine was busy |
 * | needs more memory than its limit | `invalid`, code `memory-limit` |
 * | does not stop within two seconds after it was cancelled | the reason of the signal |
 *
 * In each case the programs that the child started are killed. Otherwise the child takes the next job.
 */
import { invalid, unavailable } from 'siltstone/passages'
import { killChild } from '../host/children.ts'
import { after, every, startJobProcess, type JobHandle } from '../host/job-process.ts'
import type { ProcessContext, RandomAccess, ScratchFolder, Summary } from '../processor.ts'
import { errorOf, type FromJob, type Method, type JobData, type ToJob } from './messages.ts'

export interface JobLimits {
  memoryBytes: number
  stepMs: number
  heartbeatMs: number
}

const GRACE_MS = 2_000
/** A new process has to load its modules before the first step begins. */
const START_MS = 60_000

interface Job {
  ctx: ProcessContext
  sources: RandomAccess[]
  step: string
  failures: Map<number, unknown>
  /** Set once it is certain how the job ends; the process is being ended. */
  verdict: unknown
  stopClock: () => void
  finish(error: unknown, summary?: Summary): void
}

export class JobProcess {
  readonly #process: JobHandle<ToJob>
  readonly #limits: JobLimits
  readonly #children = new Set<number>()
  #job: Job | undefined
  #hasEnded = false

  constructor(url: URL, data: JobData, limits: JobLimits) {
    this.#limits = limits
    this.#process = startJobProcess<ToJob, FromJob>(url, data, limits.memoryBytes, {
      onMessage: (message) => this.#onMessage(message),
      onExit: (error, isOutOfMemory) => this.#onExit(error, isOutOfMemory),
    })
  }

  /** Whether it can take another job. */
  get isUsable(): boolean {
    return !this.#hasEnded
  }

  async end(): Promise<void> {
    await this.#process.terminate()
  }

  async run(processor: string, source: RandomAccess, ctx: ProcessContext): Promise<Summary> {
    ctx.signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<Summary>()
    const job: Job = {
      ctx,
      sources: [source],
      step: 'start',
      failures: new Map(),
      verdict: undefined,
      stopClock: () => undefined,
      finish: (error, summary) => {
        this.#job = undefined
        if (summary) resolve(summary)
        else reject(error as Error)
      },
    }
    this.#job = job
    this.#process.keepAlive(true)
    this.#startClock(job, Math.max(START_MS, this.#limits.stepMs))
    const beat = every(this.#limits.heartbeatMs, () => {
      ctx.heartbeat(job.step).catch((error: unknown) => this.#condemn(job, error))
    })
    let stopGrace = () => undefined as void
    const abort = () => {
      this.#process.post({ kind: 'abort', reason: String(ctx.signal.reason) })
      stopGrace = after(GRACE_MS, () => this.#condemn(job, ctx.signal.reason))
    }
    ctx.signal.addEventListener('abort', abort)
    try {
      const has = (['publish', 'embedImage', 'transcribe', 'readText', 'sibling'] as const).filter(
        (method) => ctx[method] !== undefined,
      )
      this.#process.post({
        kind: 'start',
        processor,
        sizeBytes: source.sizeBytes,
        scratch: ctx.scratch.path,
        name: ctx.name,
        has,
      })
      return await promise
    } finally {
      ctx.signal.removeEventListener('abort', abort)
      this.#process.keepAlive(false)
      beat()
      stopGrace()
      job.stopClock()
    }
  }

  /** Ends the process; the job fails with this error once it has ended. */
  #condemn(job: Job, error: unknown): void {
    if (this.#job !== job || job.verdict !== undefined) return
    job.verdict = error
    void this.#process.terminate()
  }

  #startClock(job: Job, ms = this.#limits.stepMs): void {
    job.stopClock()
    job.stopClock = after(ms, () => {
      this.#condemn(job, unavailable('step-timeout', `the step ${job.step} took more than ${ms} ms`))
    })
  }

  #onMessage(message: FromJob): void {
    if (message.kind === 'child') {
      this.#children[message.isRunning ? 'add' : 'delete'](message.pid)
      return
    }
    const job = this.#job
    if (!job) return
    if (message.kind === 'call') void this.#answer(job, message.call, message.method, message.args)
    else if (message.kind === 'done') job.finish(undefined, message.summary)
    else {
      const { call } = message.error
      const own = call === undefined ? undefined : job.failures.get(call)
      job.finish(job.ctx.signal.aborted ? job.ctx.signal.reason : (own ?? errorOf(message.error)))
    }
  }

  async #answer(job: Job, call: number, method: Method, args: readonly unknown[]): Promise<void> {
    try {
      const value = await this.#call(job, method, args)
      this.#process.post({ kind: 'answer', call, value })
    } catch (error) {
      job.failures.set(call, error)
      this.#process.post({ kind: 'answer', call, failed: error instanceof Error ? error.message : String(error) })
    }
  }

  async #call(job: Job, method: Method, args: readonly unknown[]): Promise<unknown> {
    const { ctx } = job
    switch (method) {
      case 'read': {
        const [source, offset, length] = args as [number, number, number]
        return (job.sources[source] as RandomAccess).read(offset, length)
      }
      case 'heartbeat': {
        const [step] = args as [string]
        if (step !== job.step) {
          job.step = step
          this.#startClock(job)
        }
        return ctx.heartbeat(step)
      }
      case 'sibling': {
        const found = await ctx.sibling?.(args[0] as string)
        return found && { source: job.sources.push(found) - 1, sizeBytes: found.sizeBytes }
      }
      case 'freeBytes':
        return (ctx.scratch satisfies ScratchFolder).freeBytes()
      case 'emit':
        return ctx.emit(...(args as Parameters<ProcessContext['emit']>))
      case 'publish':
        return ctx.publish?.(args[0] as Summary['steps'])
      case 'putDerived':
        return ctx.putDerived(...(args as Parameters<ProcessContext['putDerived']>))
      case 'embedText':
        return ctx.embedText(args[0] as string[])
      case 'embedImage':
        return ctx.embedImage?.(args[0] as Uint8Array[])
      case 'transcribe':
        return ctx.transcribe?.(args[0] as Float32Array, ctx.signal)
      case 'readText':
        return ctx.readText?.(args[0] as Uint8Array, ctx.signal)
    }
  }

  #onExit(error: Error | undefined, isOutOfMemory: boolean): void {
    this.#hasEnded = true
    for (const pid of this.#children) killChild(pid)
    const job = this.#job
    if (!job) return
    const { memoryBytes } = this.#limits
    const tooMuch =
      isOutOfMemory && invalid('memory-limit', `the step ${job.step} needs more than ${memoryBytes} bytes of memory`)
    job.finish(job.verdict ?? (tooMuch || (error ?? new Error('the process of the job ended'))))
  }
}
