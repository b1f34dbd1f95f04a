/**
 * Compaction in an invocation that its host ends at a deadline, as Lambda does.
 *
 * What is left when the time is over is done by a later invocation, for which a message is sent. Only an invocation that
 * committed something sends one. If it committed nothing, its successor would not either: the same work would begin
 * again and again without an end. So that is an error with a metric, and no message is sent. An unfolded log then counts
 * as failed, so that the queue delivers the message that announced it again, as often as it may. A merge is not repeated
 * by the queue; the next message or the schedule comes to it.
 */
import type { Compactor, Deadline } from '../compact/compactor.ts'
import { isSiltstoneError } from '../errors.ts'
import { encodeWakeUp } from '../log/wake-up-message.ts'
import type { CompactionOutcome } from '../model/store.ts'
import type { Environment } from '../ports/environment.ts'

/** Long enough that the lease of an invocation that was cut off anyway has expired. */
const CONTINUE_AFTER_MS = 30_000

export interface Compacted {
  collection: string
  /**
   * - `busy`: another process folds it, and has our mark.
   * - `continues`: a message for the rest was sent.
   * - `blocked`: the log is folded, but a merge that is due can never be done here, or was cut without any commit.
   * - `failed`: the log is not folded, for the reason in `error`.
   */
  status: 'done' | 'busy' | 'continues' | 'blocked' | 'failed'
  entriesFolded?: number
  merges?: number
  error?: string
}

export interface InvocationOptions {
  env: Environment
  compactor: Compactor
  deadline: Deadline
  /** Aborted at the deadline. */
  signal: AbortSignal
}

export class Invocation {
  readonly #options: InvocationOptions
  #commits = 0

  constructor(options: InvocationOptions) {
    this.#options = options
  }

  /** Folds and merges one collection, and arranges for what is left. Call for one collection after another. */
  async compact(path: string): Promise<Compacted> {
    const { env, compactor, deadline, signal } = this.#options
    const options = {
      deadline,
      signal,
      onCommit: () => {
        this.#commits++
      },
    }
    let folded: CompactionOutcome | undefined
    let merged: CompactionOutcome | undefined
    try {
      if (!signal.aborted) folded = await compactor.fold(path, options)
      if (!signal.aborted) merged = await compactor.merge(path, options)
    } catch (error) {
      if (!signal.aborted || isSiltstoneError(error, 'corrupt')) {
        env.log.error('compaction_failed', {
          collection: path,
          error: String(error),
          ...(isSiltstoneError(error) && { code: error.code }),
        })
        return { collection: path, status: 'failed', error: String(error) }
      }
      env.log.warn('compaction_cut', { collection: path, error: String(error) })
    }
    const isFolded = folded !== undefined && !(folded.busy && signal.aborted)
    const isMerged = merged !== undefined && !(merged.busy && signal.aborted) && merged.unfinished !== 'later'
    if (!isFolded || !isMerged) {
      // step: continues-only-after-progress
      if (this.#commits === 0) return this.#withoutProgress(path, isFolded)
      return this.#goOnLater(path)
    }
    const status = merged?.unfinished === 'cannot-fit' ? 'blocked' : folded?.busy ? 'busy' : 'done'
    return { collection: path, status, entriesFolded: folded?.entriesFolded ?? 0, merges: merged?.merges ?? 0 }
  }

  #withoutProgress(path: string, isFolded: boolean): Compacted {
    const { env, deadline } = this.#options
    const error = `the invocation of ${Math.round(deadline.lengthMs)} ms ended before it could commit anything`
    env.metrics.count('compaction_without_progress')
    env.log.error('compaction_without_progress', { collection: path, isFolded, error })
    return { collection: path, status: isFolded ? 'blocked' : 'failed', error }
  }

  /** Failed when the call cannot be sent: the message that brought us here then comes again. */
  async #goOnLater(path: string): Promise<Compacted> {
    const { env } = this.#options
    const body = encodeWakeUp({ collection: path, reason: 'continue', timestampMs: env.clock.nowMs() })
    try {
      await env.queue.send(body, { delayMs: CONTINUE_AFTER_MS })
    } catch (error) {
      env.log.error('continue_failed', { collection: path, error: String(error) })
      return { collection: path, status: 'failed', error: String(error) }
    }
    env.log.info('compaction_continues_later', { collection: path })
    return { collection: path, status: 'continues' }
  }
}
