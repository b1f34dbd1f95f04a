/** Examines a claim's owner before the claim is acquired, and completes or undoes operations that were left incomplete. */
import { type SiltstoneError, unavailable } from '../errors.ts'
import type { Verdict } from './claims.ts'
import { type CollectionDocument, collectionType, idKey, type Scope, wantsName } from './collection-document.ts'
import type { Context } from './context.ts'
import { beginDeletion, finishDeletion } from './delete-collection.ts'
import type { Versioned } from './document-store.ts'
import type { NameClaim } from './document-types.ts'

/** @returns whether `other`, the owner in this version of the claim, has the name; see `Verdict` */
export async function examineOwner(
  context: Context,
  scope: Scope,
  name: string,
  other: string,
  version: Versioned<NameClaim>,
): Promise<Verdict> {
  const { tenant, database } = version.document
  // Another database with the same 48 bits of hashes, which `createDatabase` refuses to create.
  if (tenant !== scope.tenant || database !== scope.database) return 'taken'
  const owner = await context.documents.read(idKey(scope, other), collectionType)
  if (owner === undefined || owner.document.state === 'deleted') return 'free'
  if (owner.document.state === 'deleting') return finishOthersDeletion(context, owner)
  if (!wantsName(owner.document, name)) return 'free'
  if (owner.document.state === 'creating') return settleCreation(context, owner)
  if (owner.document.name === name) return 'taken'
  return undoOthersRename(context, owner)
}

/** A failure to close the log must not block a name that the owner no longer wants. */
async function finishOthersDeletion(context: Context, owner: Versioned<CollectionDocument>): Promise<Verdict> {
  try {
    await finishDeletion(context, owner)
    return 'again'
  } catch (error) {
    context.log.warn('catalog.deletion-unfinished', { collectionId: owner.document.id, error })
    return 'free'
  }
}

/**
 * The owner holds its claim, so only the last swap is missing. It acquired the claim after it had checked its database, so
 * a deletion of the database sees it (see `create-collection.ts`). Only its creator can complete a fork.
 */
async function settleCreation(context: Context, owner: Versioned<CollectionDocument>): Promise<Verdict> {
  const { document, lastModifiedMs } = owner
  if (document.forkOf === null) {
    const live = { ...document, state: 'live' as const, everLive: true }
    await context.documents.write(idKey(document, document.id), collectionType, live, owner)
    return 'again'
  }
  const ageMs = context.clock.nowMs() - Math.max(document.createdAtMs, lastModifiedMs)
  if (ageMs <= context.forkAbandonedAfterMs) throw beingCreated(document.name)
  const ended = await beginDeletion(context, owner)
  return ended?.document.state === 'deleting' ? finishOthersDeletion(context, ended) : 'again'
}

/**
 * A rename without its last swap is undone rather than completed: no reader has seen it, and a collection's name must not
 * change because another client asks for that name days after a crash. If the renaming process is alive, it starts again
 * and finds the name taken.
 */
async function undoOthersRename(context: Context, owner: Versioned<CollectionDocument>): Promise<Verdict> {
  const { document } = owner
  await context.documents.write(idKey(document, document.id), collectionType, { ...document, renaming: null }, owner)
  return 'again'
}

/** The document after the rename, with the changes that take effect together with it. */
export function renamed(document: Readonly<CollectionDocument>): CollectionDocument {
  const { renaming } = document
  if (renaming === null) return document
  const { to, operation, newMetadata, newConfiguration, newSchema } = renaming
  return {
    ...document,
    name: to,
    renaming: null,
    ...(newMetadata !== undefined && { metadata: newMetadata }),
    ...(newConfiguration !== undefined && { configuration: newConfiguration }),
    ...(newSchema !== undefined && { schema: newSchema }),
    writes: [...document.writes, operation],
  }
}

function beingCreated(name: string): SiltstoneError {
  return unavailable('collection-being-created', `Collection [${name}] is being created by a fork: try again`, {
    retryAfterMs: 1000,
  })
}
