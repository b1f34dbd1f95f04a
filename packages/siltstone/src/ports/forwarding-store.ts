import type { ObjectStore } from './object-store.ts'

/**
 * An object store that passes every call to `inner`, but for the methods that `overrides` replaces: the base of every
 * wrapper. `description` and `capabilities` are read from `inner` at each use.
 */
export function forwardingStore(inner: ObjectStore, overrides: Partial<ObjectStore> = {}): ObjectStore {
  return {
    get description() {
      return overrides.description ?? inner.description
    },
    get capabilities() {
      return overrides.capabilities ?? inner.capabilities
    },
    get: overrides.get ?? ((key, options) => inner.get(key, options)),
    head: overrides.head ?? ((key) => inner.head(key)),
    put: overrides.put ?? ((key, body, options) => inner.put(key, body, options)),
    upload: overrides.upload ?? ((key, options) => inner.upload(key, options)),
    list: overrides.list ?? ((prefix, options) => inner.list(prefix, options)),
    delete: overrides.delete ?? ((keys) => inner.delete(keys)),
    close: overrides.close ?? (() => inner.close()),
  }
}
