/**
 * Creates a collection or a fork:
 *
 * 1. The id object is created in the state `creating`: it wants its name.
 * 2. The database is checked. A deletion of the database first marks it and then lists the id objects, so either that list
 *    shows the new id object, or this check shows the mark. That is why the check comes between 1 and 3.
 * 3. The claim to the name is acquired (see `claims.ts`).
 * 4. A fork is prepared: the engine publishes its pointer.
 * 5. A swap makes the id object `live`: every reader sees the collection from now on.
 *
 * Failure cases:
 * - A crash after 1 or 2 leaves an id object that no reader is shown; `collectGarbage` removes it.
 * - After a crash after 3, a process that wants the name does step 5 (the claim proves that the check succeeded) and then
 *   finds the name taken. If the creator is still alive, its own swap finds `live` and succeeds.
 * - After a crash after 3 or 4 of a fork, no other process can prepare the fork. After `forkAbandonedAfterMs`, a process
 *   that wants the name ends it; a creator that continues later finds `deleting` or `deleted` and reports a conflict.
 *
 * `getOrCreate` is exact: one of several concurrent calls creates the collection, the others return it, or try again if it
 * was deleted in the meantime.
 */
import type { CollectionInfo, CreateCollection } from '../model/collection.ts'
import { checkSchema } from '../model/schema.ts'
import { conflict, type SiltstoneError } from '../errors.ts'
import { acquire } from './claims.ts'
import { type CollectionDocument, collectionType, idKey, nameKey, type Scope, toInfo } from './collection-document.ts'
import type { Context } from './context.ts'
import { requireDatabase } from './databases.ts'
import { finishDeletion } from './delete-collection.ts'
import { contended, type Versioned } from './document-store.ts'
import { findByName } from './find.ts'
import { dropName, nameClaim } from './name-claim.ts'
import { examineOwner } from './examine-owner.ts'

export interface Fork {
  sourceId: string
  /** Makes the fork's data readable, before the fork becomes visible. */
  prepare(info: CollectionInfo): Promise<void>
}

export interface Created {
  version: Versioned<CollectionDocument>
  created: boolean
}

const TRIES = 20

/** @throws SiltstoneError `invalid` (bad-schema), `conflict` (collection-exists, creation-abandoned), `not-found` (database-missing), `unavailable` (collection-being-created, catalog-contended) */
export async function createCollection(context: Context, request: CreateCollection, fork?: Fork): Promise<Created> {
  const { documents } = context
  const { name, getOrCreate } = request
  checkSchema(request.schema)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const [existing, incarnation] = await Promise.all([
      findByName(documents, request, name),
      requireDatabase(documents, request),
    ])
    if (existing !== undefined && getOrCreate) return { version: existing, created: false }
    if (existing !== undefined) throw exists(name)
    const version = await tryCreate(context, request, incarnation, fork)
    if (version === 'database-replaced') continue
    if (version !== 'taken') return { version, created: true }
    if (!getOrCreate) throw exists(name)
  }
  throw contended(nameKey(request, name))
}

type Outcome = Versioned<CollectionDocument> | 'taken' | 'database-replaced'

async function tryCreate(
  context: Context,
  request: CreateCollection,
  incarnation: string,
  fork: Fork | undefined,
): Promise<Outcome> {
  const { documents } = context
  const wanted = documentOf(context, request, incarnation, fork)
  const put = await documents.write(idKey(wanted, wanted.id), collectionType, wanted, null)
  if (put.status === 'lost') throw conflict('collection-id-exists', `Collection ID ${wanted.id} is taken: try again`)
  const creating = put.version

  // step: database-is-checked-again
  const checked = await checkDatabaseAgain(context, request, creating)
  if (checked !== incarnation) return 'database-replaced'

  const { name } = request
  try {
    const claimed = await acquire(documents, nameClaim(request, name, wanted), wanted.id, (other, version) =>
      examineOwner(context, request, name, other, version),
    )
    if (claimed === 'taken') {
      await remove(context, creating)
      return 'taken'
    }
  } catch (error) {
    return abandon(context, creating, 'deleted', error)
  }
  try {
    // step: fork-is-prepared
    await fork?.prepare(toInfo(creating.document, null))
  } catch (error) {
    return abandon(context, creating, 'deleting', error)
  }
  return goLive(context, request, creating)
}

async function checkDatabaseAgain(context: Context, scope: Scope, creating: Versioned<CollectionDocument>) {
  try {
    const incarnation = await requireDatabase(context.documents, scope)
    if (incarnation !== creating.document.incarnation) await remove(context, creating)
    return incarnation
  } catch (error) {
    await remove(context, creating)
    throw error
  }
}

async function goLive(
  context: Context,
  scope: Scope,
  creating: Versioned<CollectionDocument>,
): Promise<Versioned<CollectionDocument>> {
  const { id, name } = creating.document
  const version = await context.documents.change(
    idKey(scope, id),
    collectionType,
    (current) => {
      if (current?.state === 'creating') return { ...current, state: 'live' as const, everLive: true }
      // Another process completed it. Even if it was renamed or deleted since, it was created.
      return undefined
    },
    creating,
  )
  if (version?.document.everLive === true) return version
  // Its database was deleted, or it is a fork that took too long.
  await requireDatabase(context.documents, scope)
  throw conflict('creation-abandoned', `Another process ended the creation of collection [${name}]: try again`)
}

/** Ends the creation, so that the name is free at once; returns the collection if another process has completed it. */
async function abandon(
  context: Context,
  creating: Versioned<CollectionDocument>,
  state: 'deleting' | 'deleted',
  error: unknown,
): Promise<Versioned<CollectionDocument>> {
  const { document } = creating
  const key = idKey(document, document.id)
  try {
    const ended = await context.documents.change(
      key,
      collectionType,
      (current) => (current?.state === 'creating' ? { ...current, state } : undefined),
      creating,
    )
    if (ended?.document.everLive === true) return ended
    if (ended?.document.state === 'deleting') await finishDeletion(context, ended)
    else await dropName(context, document, document.name)
  } catch (cleanup) {
    context.log.warn('catalog.creation-left-behind', { key, error: cleanup })
  }
  throw error
}

/** Only allowed while no claim names the id: no other process knows it then. */
async function remove(context: Context, { document }: Versioned<CollectionDocument>): Promise<void> {
  const key = idKey(document, document.id)
  try {
    await context.documents.remove(key)
  } catch (error) {
    context.log.warn('catalog.creation-left-behind', { key, error })
  }
}

function documentOf(
  context: Context,
  request: CreateCollection,
  incarnation: string,
  fork: Fork | undefined,
): CollectionDocument {
  const { tenant, database, name, space, metadata, configuration, schema, inbox = true } = request
  return {
    format: 'siltstone.collection',
    version: collectionType.version,
    id: context.ids.uuid(),
    tenant,
    database,
    incarnation,
    state: 'creating',
    everLive: false,
    name,
    renaming: null,
    metadata,
    configuration,
    schema,
    space,
    createdAtMs: context.clock.nowMs(),
    inbox,
    forkOf: fork?.sourceId ?? null,
    writes: [],
  }
}

export function exists(name: string): SiltstoneError {
  return conflict('collection-exists', `Collection [${name}] already exists`)
}
