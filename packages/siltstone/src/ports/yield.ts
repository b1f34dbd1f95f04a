import { setImmediate } from 'node:timers/promises'

/** Lets waiting I/O and timers run before long computation goes on. */
export function yieldToEventLoop(): Promise<void> {
  return setImmediate()
}
