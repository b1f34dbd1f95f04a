/** Milliseconds of a clock that never goes back. */
export const monotonicMs = (): number => performance.now()
