/**
 * One computation of a rating at a time, over all processes. It saves work and is never needed for a right answer: ratings are written
 * once under the digest of their evidence, by any process.
 *
 * ## Protocol
 * A process that is about to compute takes the *mark* `registry/ratings/<artifact>.json` by compare-and-swap: it creates it, or
 * overwrites one that has expired or is about other contents. It then looks whether the rating has been stored in the meantime, computes it if
 * not, and deletes the mark. While it works it renews the mark. Others wait until they can take the mark, and then find the rating.
 *
 * A model waits for the ratings of its parents. The mark says for which, before the wait begins; a process that finds that a parent waits for
 * the child, at whatever distance, does not wait. Of two that would wait for each other the later one sees it, because both write first.
 *
 * ## Failure cases
 * - A process that ends leaves its mark, which others take over once it has expired.
 * - One that stalls and goes on later computes a second time. It deletes only a mark that is its own when it looks; if that changes
 *   between look and deletion, a third may compute, too.
 */
import { type Clock, type Ids, isPassing, type ObjectStore, unavailable } from 'siltstone/internal'
import type { DocumentKind, Documents, Envelope } from '../store/documents.ts'
import { ratingMarkKey } from '../store/keys.ts'

interface MarkDocument extends Envelope {
  /** Of one computation. */
  holder: string
  /** What is rated: a source or a version of the files. */
  subject: string
  /** By the clock of the holder, milliseconds since 1970. */
  untilMs: number
  /** Artifacts for whose ratings this one waits. */
  waitsFor: readonly string[]
}

const markKind: DocumentKind<MarkDocument> = {
  format: 'registry-rating-mark',
  v: 1,
  wrongField: ({ holder, subject, untilMs, waitsFor }) => {
    if (typeof holder !== 'string' || typeof subject !== 'string') return 'holder'
    return Number.isSafeInteger(untilMs) && Array.isArray(waitsFor) ? undefined : 'untilMs'
  },
}

export interface FlightOptions {
  store: ObjectStore
  documents: Documents
  clock: Clock
  ids: Ids
}

const LEASE_MS = 15_000
const RENEW_MS = 5_000
const WAIT_MS = 30_000
const POLL_MS = [20, 50, 100, 200, 400] as const

export class Flight {
  readonly #options: FlightOptions

  constructor(options: FlightOptions) {
    this.#options = options
  }

  /**
   * @param subject what is rated
   * @param stored looks for the result; `hasWaited`: since the call another computation may have ended
   * @throws SiltstoneError `unavailable` (rating-running): another process computes for longer than 30 s; what `compute` throws
   */
  async run<T>(
    id: string,
    subject: string,
    stored: (hasWaited: boolean) => Promise<T | undefined>,
    compute: () => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#options
    const beganMs = clock.monotonicMs()
    for (let attempt = 0; ; attempt++) {
      const holder = await this.#take(id, subject)
      if (holder !== undefined) {
        const stop = this.#renewing(id, holder)
        try {
          return (await stored(attempt > 0)) ?? (await compute())
        } finally {
          await stop()
          await this.#release(id, holder)
        }
      }
      if (clock.monotonicMs() - beganMs > WAIT_MS) {
        const text = `another process has been rating ${id} for more than ${WAIT_MS / 1_000} s: try again`
        throw unavailable('rating-running', text, { retryAfterMs: POLL_MS[4] })
      }
      await clock.sleep(POLL_MS[Math.min(attempt, POLL_MS.length - 1)] ?? POLL_MS[4])
    }
  }

  /** Says that the rating of `id` waits for that of `parent`. @returns whether it may; false: the parent waits for it */
  async mayWait(id: string, parent: string): Promise<boolean> {
    const { documents } = this.#options
    await documents.change(ratingMarkKey(id), markKind, (current) =>
      current === undefined || current.waitsFor.includes(parent)
        ? undefined
        : { ...current, waitsFor: [...current.waitsFor, parent] },
    )
    const seen = new Set<string>()
    const next = [parent]
    for (let each = next.pop(); each !== undefined; each = next.pop()) {
      if (each === id) return false
      if (seen.has(each)) continue
      seen.add(each)
      const mark = (await documents.read(ratingMarkKey(each), markKind))?.document
      if (mark !== undefined && !this.#hasExpired(mark)) next.push(...mark.waitsFor)
    }
    return true
  }

  async #take(id: string, subject: string): Promise<string | undefined> {
    const { documents, ids, clock } = this.#options
    const holder = ids.ulid()
    const mark = await documents.change(ratingMarkKey(id), markKind, (current): MarkDocument | undefined => {
      if (current !== undefined && current.subject === subject && !this.#hasExpired(current)) return undefined
      const siltstone = current?.siltstone ?? { format: markKind.format, v: markKind.v, writes: [] }
      return { holder, subject, untilMs: clock.nowMs() + LEASE_MS, waitsFor: [], siltstone }
    })
    return mark?.document.holder === holder ? holder : undefined
  }

  /** Also when the holder's clock is far ahead of this one. */
  #hasExpired({ untilMs }: MarkDocument): boolean {
    const leftMs = untilMs - this.#options.clock.nowMs()
    return leftMs <= 0 || leftMs > 2 * LEASE_MS
  }

  /** @returns a function that ends it, and waits for a renewal that is running */
  #renewing(id: string, holder: string): () => Promise<void> {
    const { documents, clock } = this.#options
    let isEnded = false
    let running = Promise.resolve()
    let cancel = () => {}
    const renew = async () => {
      try {
        await documents.change(ratingMarkKey(id), markKind, (current) =>
          current?.holder === holder ? { ...current, untilMs: clock.nowMs() + LEASE_MS } : undefined,
        )
      } catch (error) {
        // A mark that is not renewed expires, which costs work and nothing else.
        if (!isPassing(error)) throw error
      }
      if (!isEnded) next()
    }
    const next = () => {
      cancel = clock.timer(RENEW_MS, () => {
        running = renew()
        // It is thrown where the end is waited for.
        running.catch(() => undefined)
      })
    }
    next()
    return () => {
      isEnded = true
      cancel()
      return running
    }
  }

  async #release(id: string, holder: string): Promise<void> {
    const { documents, store } = this.#options
    const key = ratingMarkKey(id)
    try {
      const mark = await documents.read(key, markKind)
      if (mark?.document.holder === holder) await store.delete([key])
    } catch (error) {
      // The rating is there; the mark expires.
      if (!isPassing(error)) throw error
    }
  }
}
