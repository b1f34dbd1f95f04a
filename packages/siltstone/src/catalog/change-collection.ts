/**
 * Changes of a collection's name, metadata and configuration. Without a new name: one compare-and-swap. With one:
 *
 * 1. The id object is swapped to one with `renaming`: it wants the new name too, and holds what else is to change.
 * 2. The claim on the new name is acquired (see `claims.ts`). Taken: `renaming` is removed, the answer is a conflict.
 * 3. The id object is swapped to one with the new name and changes, without `renaming`: the rename happened.
 * 4. The old claim is made vacant.
 *
 * A crash after 1 or 2: nothing happened; the next rename overwrites `renaming`, who wants the new name removes it (then
 * the claim has no owner that wants it). After 3: the old claim has no confirming owner, who wants it takes it.
 * Whoever finds its `renaming` gone, because of another rename or because somebody took it for left behind, begins again
 * after a pause. `writes` holds the operations that were completed, so none is done twice after a lost answer.
 */
import type { ChangeCollection } from '../model/collection.ts'
import { acquire } from './claims.ts'
import { type CollectionDocument, collectionType, idKey, isWithin, type Scope } from './collection-document.ts'
import type { Context } from './context.ts'
import { exists } from './create-collection.ts'
import { missing } from './delete-collection.ts'
import { contended, type Versioned } from './document-store.ts'
import { dropName, nameClaim } from './name-claim.ts'
import { examineOwner, renamed } from './examine-owner.ts'

const TRIES = 20
const PAUSE_MS = 50

/** @throws SiltstoneError `not-found` (collection-missing), `conflict` (collection-exists) */
export async function changeCollection(
  context: Context,
  scope: Scope,
  id: string,
  change: ChangeCollection,
): Promise<void> {
  const key = idKey(scope, id)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    let from: string | undefined
    const operation = context.ids.ulid()
    const version = await context.documents.change(key, collectionType, (current) => {
      const document = requireLive(current, scope, id)
      from = document.name
      const { newName, ...rest } = change
      if (newName === undefined || newName === document.name) return changed(document, rest)
      return { ...document, renaming: { to: newName, operation, ...rest } }
    })
    const { newName } = change
    if (newName === undefined || from === newName || from === undefined) return
    if (await rename(context, scope, version as Versioned<CollectionDocument>, newName, operation)) {
      await dropName(context, { ...scope, id }, from)
      return
    }
    // Who took it away needs one more request to finish; two that come back at once would take it from each other.
    await context.clock.sleep(PAUSE_MS * (attempt + 1))
  }
  throw contended(key)
}

function changed(
  document: Readonly<CollectionDocument>,
  { newMetadata, newConfiguration }: Omit<ChangeCollection, 'newName'>,
): Readonly<CollectionDocument> | undefined {
  if (newMetadata === undefined && newConfiguration === undefined) return undefined
  return {
    ...document,
    ...(newMetadata !== undefined && { metadata: newMetadata }),
    ...(newConfiguration !== undefined && { configuration: newConfiguration }),
  }
}

/** Steps 2 and 3; false: another rename came between, begin again. */
async function rename(
  context: Context,
  scope: Scope,
  wanting: Versioned<CollectionDocument>,
  newName: string,
  operation: string,
): Promise<boolean> {
  const { id } = wanting.document
  const examine = (other: string, version: Parameters<typeof examineOwner>[4]) =>
    examineOwner(context, scope, newName, other, version)
  try {
    const claimed = await acquire(context.documents, nameClaim(scope, newName), id, examine)
    if (claimed === 'taken') throw exists(newName)
  } catch (error) {
    await stopWanting(context, scope, wanting, operation)
    throw error
  }
  const version = await context.documents.change(
    idKey(scope, id),
    collectionType,
    (current) => {
      if (current?.writes.includes(operation) === true) return undefined
      const document = requireLive(current, scope, id)
      // As long as it is still there it was there all along: operations are never set twice (rule 1).
      return document.renaming?.operation === operation ? renamed(document) : undefined
    },
    wanting,
  )
  return version?.document.writes.includes(operation) === true
}

/** A `renaming` that holds no claim is without effect, so failing to remove it does no harm. */
async function stopWanting(
  context: Context,
  scope: Scope,
  wanting: Versioned<CollectionDocument>,
  operation: string,
): Promise<void> {
  const key = idKey(scope, wanting.document.id)
  try {
    await context.documents.change(
      key,
      collectionType,
      (current) => (current?.renaming?.operation === operation ? { ...current, renaming: null } : undefined),
      wanting,
    )
  } catch (error) {
    context.log.warn('catalog.renaming-left-behind', { key, error })
  }
}

function requireLive(
  current: Readonly<CollectionDocument> | undefined,
  scope: Scope,
  id: string,
): Readonly<CollectionDocument> {
  if (current === undefined || current.state !== 'live' || !isWithin(current, scope)) throw missing(id)
  return current
}
