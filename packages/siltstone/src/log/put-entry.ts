/** The put of one entry, repeated until it is known whether the entry is in the log: see "Outcomes" in `writer.ts`. */
import { isPassing, isSiltstoneError, outcomeUnknown } from '../errors.ts'
import { decodeEntry, type LogEntry } from '../format/entry.ts'
import { logEntryKey } from '../format/keys.ts'
import { emptyManifest } from '../format/manifest.ts'
import { retry } from '../ports/retry.ts'
import type { CollectionState } from './collection-state.ts'
import type { Contention } from './contention.ts'
import { recordedId } from './folded-record.ts'
import { ageMs, type Stamp } from './stamp.ts'

export type PutOutcome = 'ours' | 'lost'

export class EntryPuts {
  readonly #state: CollectionState
  readonly #contention: Contention

  constructor(state: CollectionState, contention: Contention) {
    this.#state = state
    this.#contention = contention
  }

  /** Whether knowledge of the log's end is too old for a put. */
  isExpired(knowledge: Stamp): boolean {
    return ageMs(this.#state.env.clock, knowledge) > this.#state.limits.writerStalenessMs
  }

  /**
   * @param knowledge of the log's end, with which the number was chosen
   * @param sent when the first attempt was sent
   * @throws SiltstoneError `unknown` (outcome-unknown), what the store throws for a put that was certainly not applied, and
   *   the reason why the work was ended
   */
  async put(entry: LogEntry, bytes: Uint8Array, knowledge: Stamp, sent: Stamp): Promise<PutOutcome> {
    const { clock, random, metrics, store } = this.#state.env
    const key = logEntryKey(this.#state.path, entry.number)
    const attempt = async () => {
      const sentMs = clock.monotonicMs()
      const put = await store.put(key, bytes, { ifAbsent: true, contentType: 'application/vnd.apache.arrow.file' })
      this.#contention.measured(clock.monotonicMs() - sentMs)
      // Also when it exists already: a retry inside the store may have met its own first attempt. If anything fails
      // from here on, the outcome is open until the entry has been read.
      maybeApplied = true
      // step: existing-entry-is-read
      const whose = put.status === 'ok' ? 'ours' : await this.#whoseEntry(key, entry.id)
      // step: late-answer-is-settled
      if (whose !== 'gone' && !this.isExpired(knowledge)) return whose
      return this.#settleLate(entry, whose)
    }
    // A compactor that lost its lease may ask the store for nothing more, and no request waits for its entry.
    const hasEnded = (error: unknown): boolean => isSiltstoneError(error, 'conflict')
    const isWorthRetrying = (error: unknown) => {
      if (!isSiltstoneError(error) || hasEnded(error)) return false
      // step: unknown-put-is-repeated
      maybeApplied ||= error.kind === 'unknown'
      // step: refusal-leaves-the-put-open
      if (!maybeApplied && !isPassing(error)) return false
      metrics.count('log_puts_unsettled')
      return ageMs(clock, sent) < this.#state.limits.settleMs
    }
    let maybeApplied = false
    try {
      return await retry(attempt, {
        attempts: Number.POSITIVE_INFINITY,
        baseMs: 25,
        maxMs: 2_000,
        clock,
        random,
        when: isWorthRetrying,
      })
    } catch (cause) {
      // step: unknown-put-is-reported
      if (!maybeApplied || !isSiltstoneError(cause) || hasEnded(cause)) throw cause
      const message = `it is not known whether ${key} was written; read before writing again`
      throw outcomeUnknown('outcome-unknown', message, { key, cause })
    }
  }

  async #whoseEntry(key: string, id: string): Promise<PutOutcome | 'gone'> {
    const got = await this.#state.env.store.get(key)
    // It was folded and collected since: another writer's entry, or ours from an earlier attempt.
    // step: vanished-entry-is-settled
    if (got.status !== 'ok') return 'gone'
    return decodeEntry(got.body, key).id === id ? 'ours' : 'lost'
  }

  /** Too late to trust the number, or the entry is gone: the record of folded entries tells whether it is in the log. */
  async #settleLate(entry: LogEntry, whose: PutOutcome | 'gone'): Promise<PutOutcome> {
    const { manifests, path } = this.#state
    this.#state.env.metrics.count('log_puts_late')
    const current = await manifests.current()
    const manifest = current === 'none' ? emptyManifest(path) : current.manifest
    if (whose !== 'gone' && manifest.watermark < entry.number) return whose
    const id = recordedId(manifest, entry.number)
    if (id === undefined) {
      const key = logEntryKey(path, entry.number)
      throw outcomeUnknown('outcome-unknown', `${key} was answered after its number had been folded and forgotten`, {
        key,
      })
    }
    return id === entry.id ? 'ours' : 'lost'
  }
}
