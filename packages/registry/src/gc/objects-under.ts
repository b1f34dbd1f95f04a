import type { ObjectInfo, ObjectStore } from 'siltstone/internal'

/** All objects whose keys begin with the prefix, page by page. */
export async function* objectsUnder(store: ObjectStore, prefix: string): AsyncGenerator<ObjectInfo> {
  for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
    const page = await store.list(prefix, continuation === undefined ? {} : { continuation })
    continuation = page.continuation
    yield* page.objects
  }
}
