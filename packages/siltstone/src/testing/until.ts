import { systemClock } from '../host/system-clock.ts'

/** Waits for something that another thread or process does, however long it takes: the test's own limit ends it. */
export async function until<T>(look: () => T | Promise<T>): Promise<Exclude<Awaited<T>, undefined | false>> {
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen as Exclude<Awaited<T>, undefined | false>
    await systemClock.sleep(10)
  }
}
