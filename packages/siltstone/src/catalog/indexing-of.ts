import type { Space } from '../model/collection.ts'
import { collectionIdKeyOfPath } from '../format/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { collectionType } from './collection-document.ts'
import { decodeDocument } from './document-codec.ts'

/** What the indexes of a segment depend on. */
export interface Indexing {
  space: Space
  schema: Record<string, unknown> | null
}

/**
 * Reads how a collection is indexed now: indexes may be added later. Undefined when the catalog does not know the collection.
 * @throws SiltstoneError `corrupt` (catalog-damaged), `unsupported` (unknown-format-version)
 */
export async function indexingOf(store: ObjectStore, path: string): Promise<Indexing | undefined> {
  const key = collectionIdKeyOfPath(path)
  const got = await store.get(key)
  if (got.status !== 'ok') return undefined
  const { space, schema } = decodeDocument(collectionType, got.body, key)
  return { space, schema }
}
