import { setTimeout } from 'node:timers/promises'

/** Milliseconds of a clock that never goes back. */
export const monotonicMs = (): number => performance.now()

/** @throws an AbortError when the signal is aborted */
export const sleep = (ms: number, signal: AbortSignal): Promise<void> => setTimeout(ms, undefined, { signal })
