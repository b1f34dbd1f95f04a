/**
 * Changes a collection's name, metadata and configuration. Without a new name, this is one compare-and-swap, after which the
 * copy in the claim is renewed. With one:
 *
 * 1. A swap adds `renaming` to the id object: the collection wants the new name, too. `renaming` also holds the other
 *    changes.
 * 2. The claim to the new name is acquired (see `claims.ts`). If it is taken, `renaming` is removed and the rename fails
 *    with a conflict.
 * 3. A swap gives the id object the new name and the other changes and removes `renaming`: the rename has happened.
 * 4. The old claim is made vacant.
 *
 * Failure cases:
 * - A crash after 1 or 2 has no effect. The next rename overwrites `renaming`; a process that wants the new name removes
 *   it, and the claim then has no owner that wants it.
 * - After a crash after 3, the old claim has no confirming owner; a process that wants the name takes the claim.
 * - A swap of a crashed process may arrive late. A rename that was acknowledged in between has changed the id object since,
 *   also where the collection had the name already, so the late swap fails.
 * - A process that finds its `renaming` gone (another rename replaced it, or another process took it for abandoned) pauses
 *   and starts again.
 * - `writes` holds the completed operations, so no operation is repeated after a lost answer.
 */
import type { ChangeCollection } from '../model/collection.ts'
import { checkSchema } from '../model/schema.ts'
import { acquire } from './claims.ts'
import { type CollectionDocument, collectionType, idKey, isWithin, type Scope } from './collection-document.ts'
import type { Context } from './context.ts'
import { exists } from './create-collection.ts'
import { missing } from './delete-collection.ts'
import { contended, type Versioned } from './document-store.ts'
import { dropName, nameClaim, renewCopy } from './name-claim.ts'
import { examineOwner, renamed } from './examine-owner.ts'

const TRIES = 20
const PAUSE_MS = 50

/** @throws SiltstoneError `invalid` (bad-schema), `not-found` (collection-missing), `conflict` (collection-exists) */
export async function changeCollection(
  context: Context,
  scope: Scope,
  id: string,
  change: ChangeCollection,
): Promise<void> {
  if (change.newSchema) checkSchema(change.newSchema)
  const key = idKey(scope, id)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    let from: string | undefined
    const operation = context.ids.ulid()
    const version = await context.documents.change(key, collectionType, (current) => {
      const document = requireLive(current, scope, id)
      from = document.name
      const { newName, ...rest } = change
      if (newName === undefined) return changed(document, rest)
      // What a crashed rename may still have on its way must not undo this one, so its `renaming` goes.
      if (newName === document.name)
        return document.renaming === null
          ? changed(document, rest)
          : { ...(changed(document, rest) ?? document), renaming: null }
      return { ...document, renaming: { to: newName, operation, ...rest } }
    })
    const { newName } = change
    if (newName === undefined || from === newName || from === undefined) {
      if (version !== undefined) await renewCopy(context, version.document)
      return
    }
    if (await rename(context, scope, version as Versioned<CollectionDocument>, newName, operation)) {
      await dropName(context, { ...scope, id }, from)
      return
    }
    // The process that removed it needs one more request; two that retried at once would remove each other's `renaming`.
    await context.clock.sleep(PAUSE_MS * (attempt + 1))
  }
  throw contended(key)
}

function changed(
  document: Readonly<CollectionDocument>,
  { newMetadata, newConfiguration, newSchema }: Omit<ChangeCollection, 'newName'>,
): Readonly<CollectionDocument> | undefined {
  if (newMetadata === undefined && newConfiguration === undefined && newSchema === undefined) return undefined
  return {
    ...document,
    ...(newMetadata !== undefined && { metadata: newMetadata }),
    ...(newConfiguration !== undefined && { configuration: newConfiguration }),
    ...(newSchema !== undefined && { schema: newSchema }),
  }
}

/** Steps 2 and 3. @returns false when another process interfered: start again */
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
    // step: rename-acquires-the-claim
    const claimed = await acquire(context.documents, nameClaim(scope, newName, renamed(wanting.document)), id, examine)
    if (claimed === 'taken') throw exists(newName)
  } catch (error) {
    await withdraw(context, scope, wanting, operation)
    throw error
  }
  const version = await context.documents.change(
    idKey(scope, id),
    collectionType,
    (current) => {
      if (current?.writes.includes(operation) === true) return undefined
      const document = requireLive(current, scope, id)
      // If `renaming` is there, it was there all the time: an operation is set only once (rule 1).
      return document.renaming?.operation === operation ? renamed(document) : undefined
    },
    wanting,
  )
  return version?.document.writes.includes(operation) === true
}

/** A `renaming` without a claim has no effect, so a failure to remove it does no harm. */
async function withdraw(
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
