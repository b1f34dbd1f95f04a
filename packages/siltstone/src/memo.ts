/** Where `memoize` keeps its values: a Map, a WeakMap or an LruMap. */
export interface MemoStore<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): unknown
  delete(key: K): unknown
}

/** The value that was computed for the key before, or is being computed. A failure is not kept: the next call tries again. */
export function memoize<K, V>(store: MemoStore<K, Promise<V>>, key: K, compute: () => Promise<V>): Promise<V> {
  const known = store.get(key)
  if (known) return known
  const value = compute()
  store.set(key, value)
  value.catch(() => store.delete(key))
  return value
}
