/** The id object, which is authoritative for a collection's state, name and configuration. */
import { type CollectionInfo, type Space, SPACES } from '../model/collection.ts'
import { wrongPartOf } from '../model/schema.ts'
import { collectionIdKey, collectionNameKey, parseKey } from '../format/keys.ts'
import type { CatalogDocument, DocumentType } from './document-codec.ts'
import { firstWrong, isChange, isFlag, isNumber, isObject, isText, oneOf, orNull } from './document-types.ts'

/**
 * `creating` → `live` → `deleting` → `deleted`, or from `creating` directly to one of the last two; never backwards.
 * `deleting`: no reader finds it, and its log is being closed.
 */
export type CollectionState = 'creating' | 'live' | 'deleting' | 'deleted'

export interface Renaming {
  to: string
  /** ULID of this attempt; `writes` has it when the rename is complete. */
  operation: string
  /** Takes effect together with the name. */
  newMetadata?: string | null
  newConfiguration?: Record<string, unknown>
  newSchema?: Record<string, unknown>
}

export interface CollectionDocument extends CatalogDocument {
  format: 'siltstone.collection'
  id: string
  tenant: string
  database: string
  /** The database's incarnation in which the collection was created. */
  incarnation: string
  state: CollectionState
  /** False until it becomes live for the first time. */
  everLive: boolean
  name: string
  renaming: Renaming | null
  /** Exact JSON text of an object. */
  metadata: string | null
  configuration: Record<string, unknown>
  schema: Record<string, unknown> | null
  space: Space
  createdAtMs: number
  inbox: boolean
  /** Id of the forked collection, null if this is not a fork. Only its creator can complete a fork. */
  forkOf: string | null
}

const wrongField = firstWrong({
  id: isText,
  tenant: isText,
  database: isText,
  incarnation: isText,
  state: oneOf('creating', 'live', 'deleting', 'deleted'),
  everLive: isFlag,
  name: isText,
  renaming: orNull(isChange),
  metadata: orNull(isText),
  configuration: isObject,
  schema: (value) => wrongPartOf(value) === undefined,
  space: oneOf(...SPACES),
  createdAtMs: isNumber,
  inbox: isFlag,
  forkOf: orNull(isText),
})

export const collectionType: DocumentType<CollectionDocument> = {
  format: 'siltstone.collection',
  version: 1,
  wrongField: (body, key) => {
    const at = parseKey(key)
    return at?.kind === 'collection-id' && at.collectionId !== body['id'] ? 'id' : wrongField(body)
  },
  evenSize: ({ state }) => state === 'live',
}

export interface Scope {
  tenant: string
  database: string
}

export function idKey(scope: Scope, id: string): string {
  return collectionIdKey({ tenant: scope.tenant, database: scope.database, collectionId: id })
}

export function nameKey(scope: Scope, name: string): string {
  return collectionNameKey({ tenant: scope.tenant, database: scope.database, name })
}

/** Keys contain only 48 bits of the names' hashes, so every object repeats the names. */
export function isWithin(document: Scope, scope: Scope): boolean {
  return document.tenant === scope.tenant && document.database === scope.database
}

/** Whether the collection has or is about to get this name: then no other may acquire the claim. */
export function wantsName(document: CollectionDocument | undefined, name: string): boolean {
  if (document === undefined) return false
  if (document.state === 'creating') return document.name === name
  return document.state === 'live' && (document.name === name || document.renaming?.to === name)
}

/** A description that the caller may change. */
export function toInfo(document: Readonly<CollectionDocument>, dimension: number | null): CollectionInfo {
  const { id, name, tenant, database, space, metadata, schema, createdAtMs, inbox, forkOf } = document
  return {
    id,
    name,
    tenant,
    database,
    space,
    metadata,
    configuration: structuredClone(document.configuration),
    schema: structuredClone(schema),
    dimension,
    createdAtMs,
    inbox,
    ...(forkOf !== null && { forkOf }),
  }
}

const shared = new WeakMap<Readonly<CollectionDocument>, CollectionInfo>()

/** The same description for each call on the collection's data: it is frozen, and made once a document. */
export function toSharedInfo(document: Readonly<CollectionDocument>): CollectionInfo {
  let info = shared.get(document)
  if (info === undefined) {
    info = frozen(toInfo(document, null))
    shared.set(document, info)
  }
  return info
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}
