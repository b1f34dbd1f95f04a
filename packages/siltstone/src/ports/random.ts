/** Randomness, injected everywhere so that a seed replays a run. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
}
