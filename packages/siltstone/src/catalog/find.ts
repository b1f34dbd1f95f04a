/**
 * Lookups. They only read: a half-done creation is not there yet, a half-done rename still has its old name, and what is
 * being deleted is gone. All of these are decided by one swap of the id object, so no two readers disagree on the order.
 */
import { isUuid } from '../format/keys.ts'
import { invalid } from '../errors.ts'
import { type CollectionDocument, collectionType, idKey, isWithin, nameKey, type Scope } from './collection-document.ts'
import type { DocumentStore, Versioned } from './document-store.ts'
import { nameClaimType } from './document-types.ts'

export type Found = Versioned<CollectionDocument>

/**
 * The live collection of this name. A collection that is live under a name holds the claim on it, so one conditional GET
 * of the object that had the name last suffices when it still has it; else the claim is read, then its owner.
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

/** The live collection of this id. `maxAgeMs`: what was read so lately may be used again; 0 reads. */
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
