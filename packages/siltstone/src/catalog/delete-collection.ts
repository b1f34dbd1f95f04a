/**
 * Deletes a collection:
 *
 * 1. A swap changes the id object from `live` to `deleting`. This is the commit point; since it swaps a version that had
 *    the name, it also orders the deletion and concurrent renames. No reader is shown the collection from now on.
 * 2. Its log is closed (`Context.closeLog`): writers that still know the collection reach the end of the log.
 * 3. A swap changes the id object to `deleted`; it stays as a tombstone until `collectGarbage`.
 * 4. Its claims are made vacant.
 *
 * A crash after 1, 2 or 3 leaves the state `deleting`, or a claim without a confirming owner. Deleting the name again,
 * creating a collection with it, deleting the database and `collectGarbage` each continue with the next step. If the log
 * cannot be closed, the deletion fails with an error, although the catalog no longer has the collection: repeat it.
 *
 * `deleting` precedes the closing of the log for two reasons: the catalog cannot see a closed log, so lists would show the
 * collection until it is used; and a delete by name must not hit a collection that was renamed in the meantime.
 */
import { isSiltstoneError, notFound, SiltstoneError } from '../errors.ts'
import {
  type CollectionDocument,
  collectionType,
  idKey,
  isWithin,
  nameKey,
  type Scope,
  toInfo,
} from './collection-document.ts'
import type { Context } from './context.ts'
import { contended, type Versioned } from './document-store.ts'
import { nameClaimType } from './document-types.ts'
import { dropName } from './name-claim.ts'

const TRIES = 50

/** @throws SiltstoneError `not-found` (collection-missing), or the kind of the failure to close the log (deletion-unfinished) */
export async function deleteCollection(context: Context, scope: Scope, name: string): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const claim = await context.documents.read(nameKey(scope, name), nameClaimType)
    const id = claim?.document.collectionId
    if (id === undefined || id === null || claim?.document.name !== name) throw missing(name)
    const owner = await context.documents.read(idKey(scope, id), collectionType)
    if (owner === undefined || owner.document.name !== name || !isWithin(owner.document, scope)) throw missing(name)
    const { state } = owner.document
    if (state === 'creating' || state === 'deleted') throw missing(name)
    const begun = state === 'deleting' ? owner : await swapToDeleting(context, owner)
    if (begun !== undefined) return finishDeletion(context, begun)
  }
  throw contended(nameKey(scope, name))
}

/** @returns undefined when the object was changed since it was read */
async function swapToDeleting(
  context: Context,
  owner: Versioned<CollectionDocument>,
): Promise<Versioned<CollectionDocument> | undefined> {
  const { document } = owner
  const next = { ...document, state: 'deleting' as const }
  const written = await context.documents.write(idKey(document, document.id), collectionType, next, owner)
  return written.status === 'ok' ? written.version : undefined
}

/**
 * Step 1 for a collection of any name. A collection that was never live has no log, unless it is a fork, and becomes
 * `deleted` at once.
 * @returns the document afterwards, undefined if there is none
 */
export async function beginDeletion(
  context: Context,
  at: Versioned<CollectionDocument>,
): Promise<Versioned<CollectionDocument> | undefined> {
  const { document } = at
  return context.documents.change(
    idKey(document, document.id),
    collectionType,
    (current) => {
      if (current === undefined || current.state === 'deleting' || current.state === 'deleted') return undefined
      const hasNoLog = current.state === 'creating' && current.forkOf === null
      return { ...current, state: hasNoLog ? ('deleted' as const) : ('deleting' as const) }
    },
    at,
  )
}

/** Steps 2 to 4, for a document in state `deleting`. */
export async function finishDeletion(context: Context, at: Versioned<CollectionDocument>): Promise<void> {
  const { document } = at
  try {
    // step: log-is-closed
    await context.closeLog(toInfo(document, null))
  } catch (error) {
    // A log that does not exist counts as closed.
    if (!isSiltstoneError(error, 'not-found')) throw unfinished(document, error)
  }
  await context.documents.change(
    idKey(document, document.id),
    collectionType,
    (current) => (current?.state === 'deleting' ? { ...current, state: 'deleted' as const } : undefined),
    at,
  )
  await dropNames(context, document)
}

/** All steps, from any state. */
export async function deleteById(context: Context, at: Versioned<CollectionDocument>): Promise<void> {
  const begun = await beginDeletion(context, at)
  if (begun?.document.state === 'deleting') await finishDeletion(context, begun)
  else if (begun !== undefined) await dropNames(context, begun.document)
}

export async function dropNames(context: Context, document: CollectionDocument): Promise<void> {
  await dropName(context, document, document.name)
  if (document.renaming !== null) await dropName(context, document, document.renaming.to)
}

export function missing(nameOrId: string): SiltstoneError {
  return notFound('collection-missing', `Collection [${nameOrId}] does not exist`)
}

function unfinished({ name, id }: CollectionDocument, cause: unknown): unknown {
  if (!isSiltstoneError(cause)) return cause
  const text = `Collection [${name}] (${id}) is deleted, but its log could not be closed: ${cause.message} Delete it again to finish.`
  return new SiltstoneError(cause.kind, 'deletion-unfinished', text, {
    cause,
    ...(cause.key !== undefined && { key: cause.key }),
    ...(cause.retryAfterMs !== undefined && { retryAfterMs: cause.retryAfterMs }),
  })
}
