/** What one client may see: a database of one tenant, or some of its collections. */
import { type Collection, type CollectionInfo, isSiltstoneError, type McpScope, notFound } from 'siltstone/internal'

export type Scope = McpScope

/** @throws SiltstoneError `not-found` (collection-missing), which names what there is */
export async function infoOf(scope: Scope, name: string): Promise<CollectionInfo> {
  const { engine, tenant, database, collections } = scope
  if (collections === undefined || collections.includes(name)) {
    try {
      return await engine.catalog.getCollection(tenant, database, name)
    } catch (error) {
      if (!isSiltstoneError(error, 'not-found')) throw error
    }
  }
  const known = (await visible(scope, { limit: 20 })).map((info) => info.name)
  const choice = known.length === 0 ? 'There is none yet.' : `There is: ${known.join(', ')}.`
  throw notFound('collection-missing', `The collection ${JSON.stringify(name)} does not exist. ${choice}`)
}

export async function visible(
  { engine, tenant, database, collections }: Scope,
  page: { limit: number; offset?: number },
): Promise<CollectionInfo[]> {
  if (collections === undefined) return engine.catalog.listCollections(tenant, database, page)
  const found: CollectionInfo[] = []
  const { offset = 0, limit } = page
  for (const name of collections.slice(offset, offset + limit)) {
    try {
      found.push(await engine.catalog.getCollection(tenant, database, name))
    } catch (error) {
      if (!isSiltstoneError(error, 'not-found')) throw error
    }
  }
  return found
}

export async function open(scope: Scope, name: string): Promise<Collection> {
  const { tenant, database, id } = await infoOf(scope, name)
  return scope.engine.collection(tenant, database, id)
}

export async function embedOne(scope: Scope, collection: Collection, text: string): Promise<Float32Array> {
  const dimension = await collection.dimension()
  const embedder = await scope.embedderFor({ ...collection.info, dimension })
  const [vector] = await embedder.embed([text])
  return vector as Float32Array
}
