import type { Clock } from '../ports/clock.ts'

/** Node's timers fire at once if their delay is longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The machine's clock. `timer` does not keep the process alive, `sleep` does. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error)
        return
      }
      const onAbort = () => {
        cancel()
        reject(signal?.reason as Error)
      }
      const cancel = startTimer(ms, true, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  },
  timer: (ms, run) => startTimer(ms, false, run),
}

function startTimer(ms: number, keepAlive: boolean, run: () => void): () => void {
  let left = ms
  let handle: NodeJS.Timeout
  const next = () => {
    const part = Math.min(left, LONGEST_TIMER_MS)
    left -= part
    handle = setTimeout(left > 0 ? next : run, part)
    if (!keepAlive) handle.unref()
  }
  next()
  return () => clearTimeout(handle)
}
