import type { ReadSource } from './read-source.ts'

/** Bytes that turn out to be damaged are fetched in another way once, and a snapshot that was collected is followed once. */
const ATTEMPTS = 3

/** Until it succeeds, or nothing can be done about the failure. */
export async function recovering<T>(source: ReadSource, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === ATTEMPTS || !(await source.recover(error))) throw error
    }
  }
}
