import { type Claim, cleanUp, vacate } from './claims.ts'
import { collectionType, idKey, nameKey, type Scope, wantsName } from './collection-document.ts'
import type { Context } from './context.ts'
import { type NameClaim, nameClaimType } from './document-types.ts'

export function nameClaim(scope: Scope, name: string): Claim<NameClaim> {
  return {
    key: nameKey(scope, name),
    type: nameClaimType,
    ownerOf: (document) => document.collectionId,
    document: (owner, over) => ({
      writes: [],
      ...over,
      format: 'siltstone.name',
      version: nameClaimType.version,
      tenant: scope.tenant,
      database: scope.database,
      name,
      collectionId: owner,
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
