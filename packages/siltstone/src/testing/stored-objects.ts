import type { ObjectStore } from '../ports/object-store.ts'

/** The objects of a store, for tests to inspect. */
export class StoredObjects {
  readonly store: ObjectStore

  constructor(store: ObjectStore) {
    this.store = store
  }

  async keys(prefix = ''): Promise<string[]> {
    const { objects } = await this.store.list(prefix)
    return objects.map(({ key }) => key)
  }

  async bytes(key: string): Promise<Uint8Array> {
    const got = await this.store.get(key)
    if (got.status !== 'ok') throw new Error(`${key}: ${got.status}`)
    return got.body
  }
}
