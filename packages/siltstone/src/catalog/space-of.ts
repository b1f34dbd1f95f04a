import type { Space } from '../model/collection.ts'
import { collectionIdKeyOfPath } from '../format/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { collectionType } from './collection-document.ts'
import { decodeDocument } from './document-codec.ts'

/**
 * Reads a collection's distance, which never changes. Undefined when the catalog does not know the collection.
 * @throws SiltstoneError `corrupt` (catalog-damaged), `unsupported` (unknown-format-version)
 */
export async function spaceOf(store: ObjectStore, path: string): Promise<Space | undefined> {
  const key = collectionIdKeyOfPath(path)
  const got = await store.get(key)
  return got.status === 'ok' ? decodeDocument(collectionType, got.body, key).space : undefined
}
