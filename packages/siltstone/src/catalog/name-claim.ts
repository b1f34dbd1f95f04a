import { type Claim, cleanUp, vacate } from './claims.ts'
import {
  type CollectionDocument,
  collectionType,
  idKey,
  nameKey,
  type Scope,
  wantsName,
} from './collection-document.ts'
import type { Context } from './context.ts'
import { type NameClaim, nameClaimType } from './document-types.ts'

/** @param owner the document of the collection for which the claim is acquired; a copy of it is kept in the claim */
export function nameClaim(scope: Scope, name: string, owner?: Readonly<CollectionDocument>): Claim<NameClaim> {
  return {
    key: nameKey(scope, name),
    type: nameClaimType,
    ownerOf: (document) => document.collectionId,
    document: (id, over) => ({
      writes: [],
      ...over,
      format: 'siltstone.name',
      version: nameClaimType.version,
      tenant: scope.tenant,
      database: scope.database,
      name,
      collectionId: id,
      copy: id !== null && owner?.id === id ? copyOf(owner, name) : null,
    }),
  }
}

/** Makes the claim vacant if this collection holds and does not want it. A failure is logged (rule 5 of `claims.ts`). */
export async function dropName(context: Context, collection: Scope & { id: string }, name: string): Promise<void> {
  const claim = nameClaim(collection, name)
  const { documents } = context
  const wants = async () => {
    const now = await documents.read(idKey(collection, collection.id), collectionType)
    return wantsName(now?.document, name)
  }
  await cleanUp(context.log, claim.key, () => vacate(documents, claim, collection.id, wants))
}

function copyOf({ writes: _writes, renaming: _renaming, ...rest }: Readonly<CollectionDocument>, name: string) {
  return { ...rest, name }
}

/** Renews the copy in the claim after a change of the collection's metadata or configuration. */
export async function renewCopy(context: Context, owner: Readonly<CollectionDocument>): Promise<void> {
  const claim = nameClaim(owner, owner.name, owner)
  await cleanUp(context.log, claim.key, async () => {
    const current = await context.documents.read(claim.key, claim.type)
    if (current?.document.collectionId !== owner.id) return
    // A lost race is fine: another process changed the claim, or renewed the copy.
    await context.documents.write(claim.key, claim.type, claim.document(owner.id, current.document), current)
  })
}
