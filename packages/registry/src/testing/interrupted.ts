import { forwardingStore, type ObjectStore } from 'siltstone/internal'

/** Calls `act` once, before the call with this number. A test goes on with higher numbers until none is reached. */
export function interrupted(store: ObjectStore, number: number, act: () => Promise<unknown>) {
  let calls = 0
  const before = async () => {
    if (calls++ === number) await act()
  }
  const seen = forwardingStore(store, {
    get: async (...args) => (await before(), store.get(...args)),
    head: async (...args) => (await before(), store.head(...args)),
    put: async (...args) => (await before(), store.put(...args)),
    list: async (...args) => (await before(), store.list(...args)),
    delete: async (...args) => (await before(), store.delete(...args)),
  })
  return { seen, isReached: () => calls > number }
}
