/** Time, injected everywhere so that the simulation can control it. Using a raw clock outside `host/` is a lint error. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May step. */
  nowMs(): number
  /** Never steps back. Only differences mean anything. */
  monotonicMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `run` once after `ms`. The returned function cancels the timer. It does not keep the process alive. */
  timer(ms: number, run: () => void): () => void
}
