/** Time, injected everywhere so that the simulation can drive it. Raw clocks are lint errors outside `host/` and the drivers. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May step. */
  nowMs(): number
  /** Never steps back. Only differences mean anything. */
  monotonicMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `run` once after `ms`. The returned function cancels. Does not keep the process alive. */
  timer(ms: number, run: () => void): () => void
}
