import type { Clock } from '../ports/clock.ts'

/** Waits at most `ms` for `work`. Rethrows its error, unless that comes later. */
export function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<'done' | 'late'> {
  return new Promise((resolve, reject) => {
    const cancel = clock.timer(Math.max(0, ms), () => resolve('late'))
    work.then(
      () => {
        cancel()
        resolve('done')
      },
      (error: unknown) => {
        cancel()
        reject(error as Error)
      },
    )
  })
}
