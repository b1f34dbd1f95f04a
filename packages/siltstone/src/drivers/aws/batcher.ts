/**
 * Joins calls that are made in one go into batches. Calls of one tick, `Promise.all` over messages say, cost one
 * request for each ten of them. Every call gets its own answer: entries of a batch fail one by one.
 */
export interface BatchLimits {
  entries: number
  bytes: number
}

interface Waiting<In, Out> {
  item: In
  sizeBytes: number
  resolve: (result: Out) => void
  reject: (error: unknown) => void
}

/** Of each item in order: what to answer, or the error to reject with. */
export type BatchAnswer<Out> = { ok: Out } | { error: unknown }

export class Batcher<In, Out> {
  readonly #limits: BatchLimits
  readonly #send: (items: In[]) => Promise<BatchAnswer<Out>[]>
  readonly #flushing = new Set<Promise<void>>()
  #waiting: Waiting<In, Out>[] = []

  constructor(limits: BatchLimits, send: (items: In[]) => Promise<BatchAnswer<Out>[]>) {
    this.#limits = limits
    this.#send = send
  }

  add(item: In, sizeBytes: number): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, sizeBytes, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush())
    })
  }

  /** Waits for what is under way. */
  async settled(): Promise<void> {
    while (this.#waiting.length > 0 || this.#flushing.size > 0) {
      await Promise.resolve()
      await Promise.all(this.#flushing)
    }
  }

  #flush(): void {
    const all = this.#waiting
    this.#waiting = []
    for (let start = 0; start < all.length; ) {
      let end = start
      let bytes = 0
      while (end < all.length && end - start < this.#limits.entries) {
        bytes += (all[end] as Waiting<In, Out>).sizeBytes
        if (end > start && bytes > this.#limits.bytes) break
        end++
      }
      const flushing = this.#answer(all.slice(start, end))
      this.#flushing.add(flushing)
      void flushing.finally(() => this.#flushing.delete(flushing))
      start = end
    }
  }

  async #answer(batch: Waiting<In, Out>[]): Promise<void> {
    let answers: BatchAnswer<Out>[]
    try {
      answers = await this.#send(batch.map(({ item }) => item))
    } catch (error) {
      for (const { reject } of batch) reject(error)
      return
    }
    for (const [at, { resolve, reject }] of batch.entries()) {
      const answer = answers[at]
      if (answer !== undefined && 'ok' in answer) resolve(answer.ok)
      else reject(answer?.error ?? new Error('the batch has no answer for this entry'))
    }
  }
}
