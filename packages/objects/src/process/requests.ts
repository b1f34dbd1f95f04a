/** What users ask of the states: how it stands, and to process again. */
import type { ObjectState } from './state.ts'
import type { StateStore } from './state-store.ts'

/**
 * Asks for a key to be processed again, by whoever is next. Work that is running is given up.
 * @returns false if the key has no state, or its object is gone
 */
export async function requeue(states: StateStore, bucket: string, key: string, nowMs: number): Promise<boolean> {
  for (;;) {
    const read = await states.read(bucket, key)
    if (read === undefined || read.state.object === null) return false
    const { state } = read
    const queued: ObjectState = {
      ...state,
      progress: 'queued',
      attempt: 0,
      claim: null,
      mustFence: state.mustFence || state.progress === 'running',
      retryAtMs: null,
      error: null,
      changedAtMs: nowMs,
    }
    if ((await states.write(queued, read)) !== undefined) return true
  }
}
