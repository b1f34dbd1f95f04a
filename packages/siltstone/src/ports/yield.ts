/** Lets waiting I/O and timers run before a long computation continues. */
export function yieldToEventLoop(): Promise<void> {
  // Browsers have no `setImmediate`.
  const defer: (run: () => void) => unknown = globalThis.setImmediate ?? globalThis.setTimeout
  return new Promise((resolve) => {
    defer(resolve)
  })
}
