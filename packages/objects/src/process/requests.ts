/** Asking for an object to be processed again. */
import type { ObjectState, StoredProgress } from './state.ts'
import type { StateStore } from './state-store.ts'

/**
 * Asks for a key to be processed again, by the next worker. Work that is running is given up.
 * @param only states that are asked for
 * @returns false if the key has no such state, or its object is gone
 */
export async function requeue(
  states: StateStore,
  bucket: string,
  key: string,
  nowMs: number,
  only?: readonly StoredProgress[],
): Promise<boolean> {
  for (;;) {
    const read = await states.read(bucket, key)
    if (read === undefined || read.state.object === null) return false
    if (only !== undefined && !only.includes(read.state.progress)) return false
    const { state } = read
    const queued: ObjectState = {
      ...state,
      progress: 'queued',
      attempt: 0,
      lost: 0,
      claim: null,
      mustFence: state.mustFence || state.progress === 'running',
      handOver: null,
      retryAtMs: null,
      error: null,
      changedAtMs: nowMs,
    }
    if ((await states.write(queued, read)) !== undefined) return true
  }
}
