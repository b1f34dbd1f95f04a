/**
 * Simulated time. Events fire in the order of their time, then of their creation; after each one, everything that waits
 * on promises runs before the next one fires. Nothing depends on the machine's clock, so a run replays exactly.
 */
interface Event {
  atMs: number
  order: number
  run: () => void
  cancelled: boolean
}

/** Waits until all promises that can settle have settled. */
function drain(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

export class Scheduler {
  nowMs = 0
  fired = 0
  readonly #heap: Event[] = []
  #made = 0

  /** @returns a function that cancels the event */
  at(atMs: number, run: () => void): () => void {
    const event = { atMs: Math.max(this.nowMs, Math.round(atMs)), order: this.#made++, run, cancelled: false }
    this.#push(event)
    return () => {
      event.cancelled = true
    }
  }

  after(ms: number, run: () => void): () => void {
    return this.at(this.nowMs + ms, run)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve)
    })
  }

  /**
   * Fires events until `done`, or until there are none.
   * @returns false if it ended without `done`: no event is left, or there were more than `maxEvents`
   */
  async run(done: () => boolean, maxEvents = Number.POSITIVE_INFINITY): Promise<boolean> {
    const last = this.fired + maxEvents
    await drain()
    while (!done()) {
      const event = this.#pop()
      if (!event || this.fired >= last) return false
      if (event.cancelled) continue
      this.fired++
      this.nowMs = event.atMs
      event.run()
      await drain()
    }
    return true
  }

  /** Runs until `work` has settled. @throws what `work` throws; Error if no event is left that could settle it */
  async until<T>(work: Promise<T>, maxEvents?: number): Promise<T> {
    let settled = false
    const settle = () => {
      settled = true
    }
    work.then(settle, settle)
    if (!(await this.run(() => settled, maxEvents)))
      throw new Error('the simulated world stands still, or never comes to rest')
    return work
  }

  #push(event: Event): void {
    const heap = this.#heap
    let i = heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(event, heap[parent] as Event)) break
      heap[i] = heap[parent] as Event
      i = parent
    }
    heap[i] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++
      if (!before(heap[child] as Event, last)) break
      heap[i] = heap[child] as Event
      i = child
    }
    heap[i] = last
    return top
  }
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
