/**
 * Counts dependent rounds: a request that begins after another was answered may depend on that answer, so it is in the
 * next round. If every request has the same delay, this is the length of the longest chain.
 */
import { interceptedStore } from '../../ports/forwarding-store.ts'
import type { ObjectStore } from '../../ports/object-store.ts'

export interface RoundsObjectStore extends ObjectStore {
  /** The number of rounds since the last call. */
  takeRounds(): number
}

export function roundsObjectStore(inner: ObjectStore): RoundsObjectStore {
  let answered = 0
  let rounds = 0
  const store = interceptedStore(inner, async (_request, send) => {
    const round = answered + 1
    rounds = Math.max(rounds, round)
    try {
      return await send()
    } finally {
      answered = Math.max(answered, round)
    }
  })
  return Object.assign(store, {
    takeRounds: () => {
      const taken = rounds
      answered = 0
      rounds = 0
      return taken
    },
  })
}
