/** Lists collections. Sizes show which ones are live (see `document-codec.ts`), so only the objects of a page are read. */
import type { CollectionInfo, PageOptions } from '../model/collection.ts'
import { isSiltstoneError } from '../errors.ts'
import { collectionIdPrefix } from '../format/keys.ts'
import type { ObjectInfo } from '../ports/object-store.ts'
import { collectionType, isWithin, type Scope } from './collection-document.ts'
import { mapBounded } from './context.ts'
import { isEvenSize } from './document-codec.ts'
import type { DocumentStore } from './document-store.ts'
import type { Found } from './find.ts'

/** The objects under a prefix, page by page, in the order of their keys. */
export async function* listPages(documents: DocumentStore, prefix: string): AsyncGenerator<ObjectInfo[]> {
  let continuation: string | undefined
  do {
    const page = await documents.list(prefix, continuation === undefined ? {} : { continuation })
    yield page.objects
    continuation = page.continuation
  } while (continuation !== undefined)
}

export async function countCollections(documents: DocumentStore, scope: Scope): Promise<number> {
  let count = 0
  for await (const page of listPages(documents, collectionIdPrefix(scope))) {
    for (const { sizeBytes } of page) if (isEvenSize(sizeBytes)) count++
  }
  return count
}

/**
 * Lists one page, in the order of the ids. Later collections replace those that are deleted between the listing and the
 * read.
 * @param describe adds the values that only the collection's log has; `not-found` (a closed log) omits the collection
 */
export async function listCollections(
  documents: DocumentStore,
  scope: Scope,
  page: PageOptions,
  describe: (found: Found) => Promise<CollectionInfo>,
): Promise<CollectionInfo[]> {
  const { offset = 0, limit = Number.POSITIVE_INFINITY } = page
  const infos: CollectionInfo[] = []
  let skip = offset
  const readOne = async (key: string): Promise<CollectionInfo | undefined> => {
    const at = await documents.read(key, collectionType)
    if (at?.document.state !== 'live' || !isWithin(at.document, scope)) return undefined
    try {
      return await describe(at)
    } catch (error) {
      if (isSiltstoneError(error, 'not-found')) return undefined
      throw error
    }
  }
  for await (const objects of listPages(documents, collectionIdPrefix(scope))) {
    const live = objects.filter(({ sizeBytes }) => isEvenSize(sizeBytes)).map(({ key }) => key)
    const skipped = Math.min(skip, live.length)
    skip -= skipped
    let at = skipped
    while (infos.length < limit && at < live.length) {
      const wanted = live.slice(at, at + Math.min(limit - infos.length, live.length))
      at += wanted.length
      for (const info of await mapBounded(wanted, readOne)) if (info !== undefined) infos.push(info)
    }
    if (infos.length >= limit) break
  }
  return infos
}
