import type { ChangeCollection, CollectionInfo } from '../../model/collection.ts'
import { invalid, isSiltstoneError, notFound } from '../../errors.ts'
import { collectionsText, collectionText } from '../answers.ts'
import { checkedCollectionName, collectionIdOf, databaseOf, openCollection, openForReading, pageOf } from '../call.ts'
import { newCollectionMetadata, changedCollectionMetadata } from '../configuration/collection-metadata.ts'
import { attachedOf, withAttached } from '../functions/attached-function.ts'
import { changedConfiguration, changedSchema, newConfiguration } from '../configuration/configuration.ts'
import type { CollectionContent } from '../../model/store.ts'
import { Fields, readBoolean, readString } from '../wire/fields.ts'
import { badValue } from '../wire/problem.ts'
import { type Answer, type Call, json, type Route } from '../route.ts'
import { list, object, ref, text, uint } from '../openapi-schemas.ts'

const COLLECTIONS = '/api/v2/tenants/{tenant}/databases/{database}/collections'

export const collectionRoutes: Route[] = [
  {
    method: 'GET',
    path: COLLECTIONS,
    operation: 'list_collections',
    tag: 'Collection',
    summary: "A database's collections, ordered by id",
    access: 'read',
    query: { limit: uint, offset: uint },
    answer: list(ref('Collection')),
    handle: listCollections,
  },
  {
    method: 'POST',
    path: COLLECTIONS,
    operation: 'create_collection',
    tag: 'Collection',
    summary: 'Creates a collection, or gets the one with that name',
    access: 'write',
    body: ref('CreateCollection'),
    answer: ref('Collection'),
    handle: createCollection,
  },
  {
    method: 'GET',
    path: '/api/v2/tenants/{tenant}/databases/{database}/collections_count',
    operation: 'count_collections',
    tag: 'Collection',
    summary: 'The number of collections in a database',
    access: 'read',
    answer: uint,
    handle: countCollections,
  },
  {
    method: 'GET',
    path: `${COLLECTIONS}/by-id/{collection_id}`,
    operation: 'get_collection_by_id',
    tag: 'Collection',
    summary: 'A collection by its id',
    access: 'read',
    answer: ref('Collection'),
    handle: getById,
  },
  {
    method: 'GET',
    path: `${COLLECTIONS}/{collection_id}`,
    operation: 'get_collection',
    tag: 'Collection',
    summary: 'A collection by its name',
    access: 'read',
    answer: ref('Collection'),
    handle: getByName,
  },
  {
    method: 'PUT',
    path: `${COLLECTIONS}/{collection_id}`,
    operation: 'update_collection',
    tag: 'Collection',
    summary: 'Changes the name, metadata or configuration of a collection, by its id',
    access: 'write',
    body: ref('UpdateCollection'),
    answer: object({}),
    handle: updateCollection,
  },
  {
    method: 'DELETE',
    path: `${COLLECTIONS}/{collection_id}`,
    operation: 'delete_collection',
    tag: 'Collection',
    summary: 'Deletes a collection, by its name',
    access: 'write',
    answer: object({}),
    handle: deleteCollection,
  },
  {
    method: 'GET',
    path: '/api/v2/collections/{crn}',
    operation: 'get_collection_by_crn',
    tag: 'Collection',
    summary: 'A collection by <tenant resource name>:<database>:<collection>',
    access: 'read',
    answer: ref('Collection'),
    handle: getByCrn,
  },
  {
    method: 'POST',
    path: `${COLLECTIONS}/{collection_id}/fork`,
    operation: 'fork_collection',
    tag: 'Collection',
    summary: 'Creates a collection that shares the records of another',
    access: 'write',
    body: object({ new_name: text }, ['new_name']),
    answer: ref('Collection'),
    handle: fork,
  },
  {
    method: 'GET',
    path: `${COLLECTIONS}/{collection_id}/fork_count`,
    operation: 'fork_count',
    tag: 'Collection',
    summary: 'The number of forks in the lineage of a collection',
    access: 'read',
    answer: object({ count: uint }),
    handle: forkCount,
  },
]

async function collectionAnswer(call: Call, info: CollectionInfo): Promise<Answer> {
  return { text: collectionText(info, await contentOf(call, info)) }
}

/** A collection that is damaged, or was deleted meanwhile, is still described: its owner has to find it. */
async function contentOf(call: Call, info: CollectionInfo): Promise<CollectionContent | undefined> {
  try {
    const collection = await call.options.engine.collection(info.tenant, info.database, info.id)
    return await collection.content()
  } catch (error) {
    if (!isSiltstoneError(error, 'corrupt') && !isSiltstoneError(error, 'not-found')) throw error
    call.options.log.warn('collection_unreadable', { collection: info.id, error: error.message })
    return undefined
  }
}

async function listCollections(call: Call): Promise<Answer> {
  const { tenant, database } = databaseOf(call)
  const work = call.options.engine.catalog.listCollections(tenant, database, pageOf(call))
  const infos = await orWhenMissing(work, [])
  return { text: collectionsText(infos) }
}

async function countCollections(call: Call): Promise<Answer> {
  const { tenant, database } = databaseOf(call)
  return json(await orWhenMissing(call.options.engine.catalog.countCollections(tenant, database), 0))
}

/** For what a missing tenant or database has none of. */
async function orWhenMissing<T>(work: Promise<T>, empty: T): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isSiltstoneError(error, 'not-found')) return empty
    throw error
  }
}

async function createCollection(call: Call): Promise<Answer> {
  const path = databaseOf(call)
  const body = await call.body()
  const name = checkedCollectionName(body.required('name', readString), 'name')
  const getOrCreate = body.optional('get_or_create', readBoolean) ?? false
  const metadata = body.optional('metadata', newCollectionMetadata) ?? null
  const request = { ...path, name, getOrCreate, metadata, ...newConfiguration(body) }
  try {
    const { info, created } = await call.options.engine.catalog.createCollection(request)
    return created ? { text: collectionText(info) } : await collectionAnswer(call, info)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
    throw invalid('database-missing', `Database [${path.database}] does not exist`, { cause: error })
  }
}

async function getByName(call: Call): Promise<Answer> {
  const { tenant, database } = databaseOf(call)
  const name = call.param('collection_id')
  return collectionAnswer(
    call,
    await orMissing(name, call.options.engine.catalog.getCollection(tenant, database, name)),
  )
}

async function getById(call: Call): Promise<Answer> {
  const { tenant, database } = databaseOf(call)
  const id = collectionIdOf(call)
  return collectionAnswer(
    call,
    await orMissing(id, call.options.engine.catalog.getCollectionById(tenant, database, id)),
  )
}

/**
 * A CRN names no tenant but a resource. With a token for some tenants, only these tenants are asked for their resource
 * name: the catalog is not asked for a resource of others, so neither the answer nor its time tells whether they have it.
 */
async function getByCrn(call: Call): Promise<Answer> {
  const crn = call.param('crn')
  const [resourceName, database, name, ...rest] = crn.split(':')
  if (!resourceName || !database || !name || rest.length > 0) {
    throw badValue(
      'crn',
      'CRN must be in the format <tenant_resource_name>:<database_name>:<collection_name> with non-empty parts',
    )
  }
  const { catalog } = call.options.engine
  const { tenants = '*', databases = '*' } = call.identity ?? {}
  if (databases !== '*' && !databases.includes(database)) throw missing(name)
  if (tenants === '*')
    return collectionAnswer(call, await orMissing(name, catalog.getCollectionByCrn(resourceName, database, name)))
  const owners = await Promise.all(tenants.map((tenant) => orWhenMissing(catalog.getTenant(tenant), undefined)))
  const owner = owners.find((tenant) => tenant?.resourceName === resourceName)
  if (owner === undefined) throw missing(name)
  return collectionAnswer(call, await orMissing(name, catalog.getCollection(owner.name, database, name)))
}

async function updateCollection(call: Call): Promise<Answer> {
  const { tenant, database } = databaseOf(call)
  const id = collectionIdOf(call)
  const body = await call.body()
  const change: ChangeCollection = {}
  const newName = body.optional('new_name', readString)
  if (newName !== undefined) change.newName = checkedCollectionName(newName, 'new_name')
  const newMetadata = body.optional('new_metadata', changedCollectionMetadata)
  if (newMetadata !== undefined) change.newMetadata = newMetadata.text
  const { catalog } = call.options.engine
  const configuration = body.optional('new_configuration', (value, path) => Fields.of(value, path))
  if (configuration !== undefined) {
    const info = await orMissing(id, catalog.getCollectionById(tenant, database, id))
    change.newConfiguration = changedConfiguration(info, configuration)
  }
  const schema = body.optional('new_schema', (value, path) => Fields.of(value, path))
  if (schema !== undefined) {
    const info = await orMissing(id, catalog.getCollectionById(tenant, database, id))
    change.newSchema = changedSchema(info, schema)
  }
  await orMissing(id, catalog.changeCollection(tenant, database, id, change))
  return json({})
}

async function deleteCollection(call: Call): Promise<Answer> {
  const { tenant, database } = databaseOf(call)
  const name = call.param('collection_id')
  await orMissing(name, call.options.engine.catalog.deleteCollection(tenant, database, name))
  return json({})
}

async function fork(call: Call): Promise<Answer> {
  const collection = await openForReading(call)
  const body = await call.body()
  const info = await collection.fork(checkedCollectionName(body.required('new_name', readString), 'new_name'))
  // The fork of a function's output has its records, which are not computed again.
  const newConfiguration = attachedOf(info) && withAttached(info.configuration, undefined)
  if (newConfiguration)
    await call.options.engine.catalog.changeCollection(info.tenant, info.database, info.id, { newConfiguration })
  return collectionAnswer(call, info)
}

async function forkCount(call: Call): Promise<Answer> {
  const collection = await openCollection(call)
  return json({ count: await collection.forkCount() })
}

/** The message of Chroma's control plane has no full stop; it also stands for a missing database. */
async function orMissing<T>(nameOrId: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
    throw missing(nameOrId, error)
  }
}

function missing(nameOrId: string, cause?: unknown): Error {
  return notFound('collection-missing', `Collection [${nameOrId}] does not exist`, { cause })
}
