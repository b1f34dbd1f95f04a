/**
 * Lookups. They only read: an incomplete creation is not visible yet, an incomplete rename still has its old name, and a
 * collection that is being deleted is gone. One swap of the id object decides each of these, so all readers agree on the
 * order.
 */
import { isUuid } from '../format/keys.ts'
import { invalid } from '../errors.ts'
import { type CollectionDocument, collectionType, idKey, isWithin, nameKey, type Scope } from './collection-document.ts'
import type { DocumentStore, Versioned } from './document-store.ts'
import { nameClaimType } from './document-types.ts'

export type Found = Versioned<CollectionDocument>

/**
 * Finds the live collection with this name. A live collection holds the claim to its name, so one conditional GET of the
 * id object that had the name last suffices if it still has it; else the claim is read, and then its owner.
 */
export async function findByName(documents: DocumentStore, scope: Scope, name: string): Promise<Found | undefined> {
  const key = nameKey(scope, name)
  const hint = documents.lastSeen(key, nameClaimType)?.document.collectionId
  if (hint !== undefined && hint !== null) {
    const found = await findById(documents, scope, hint)
    if (found?.document.name === name) return found
  }
  const claim = await documents.read(key, nameClaimType)
  const owner = claim?.document.collectionId
  if (owner === undefined || owner === null) return undefined
  const found = await findById(documents, scope, owner)
  return found?.document.name === name ? found : undefined
}

/** Finds the live collection with this id. @param maxAgeMs reuse a document that was read within this time; 0 reads */
export async function findById(
  documents: DocumentStore,
  scope: Scope,
  id: string,
  maxAgeMs = 0,
): Promise<Found | undefined> {
  const key = idKey(scope, checkId(id))
  const at =
    maxAgeMs > 0 ? await documents.recent(key, collectionType, maxAgeMs) : await documents.read(key, collectionType)
  return at?.document.state === 'live' && isWithin(at.document, scope) ? at : undefined
}

function checkId(id: string): string {
  const lower = id.toLowerCase()
  if (!isUuid(lower)) {
    throw invalid('bad-collection-id', `Collection ID is not a valid UUIDv4: ${id}`, { field: 'collection_id' })
  }
  return lower
}
