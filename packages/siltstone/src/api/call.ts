/** Reads the parts of a request that the endpoints share. */
import { databaseOf } from '../chroma/call.ts'
import type { ChromaLimits } from '../chroma/options.ts'
import type { Call } from '../chroma/route.ts'
import type { Fields } from '../chroma/wire/fields.ts'
import { checkOperands } from '../chroma/wire/request-limits.ts'
import { invalid, isSiltstoneError, unsupported } from '../errors.ts'
import { andFilters, parseWhere, parseWhereDocument } from '../filter/index.ts'
import { isUuid } from '../format/keys.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type { Filter } from '../model/filter.ts'
import type { Maintenance } from '../model/maintenance.ts'

export const ROOT = '/api/siltstone/v1'
export const COLLECTIONS = `${ROOT}/tenants/{tenant}/databases/{database}/collections`
export const COLLECTION = `${COLLECTIONS}/{collection}`

/** The collection that the path names, or whose id it has. @throws SiltstoneError `not-found` (collection-missing) */
export async function collectionOf(call: Call): Promise<CollectionInfo> {
  const { tenant, database } = databaseOf(call)
  const { catalog } = call.options.engine
  const nameOrId = call.param('collection')
  try {
    return await catalog.getCollection(tenant, database, nameOrId)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found') || !isUuid(nameOrId.toLowerCase())) throw error
    return catalog.getCollectionById(tenant, database, nameOrId.toLowerCase())
  }
}

/** @throws SiltstoneError `unsupported` (no-maintenance) */
export function maintenanceOf({ options: { maintenance } }: Call): Maintenance {
  if (maintenance !== undefined) return maintenance
  throw unsupported('no-maintenance', 'This server cannot look after its store: use the command line')
}

/** `where` and `whereDocument` of a body. @throws SiltstoneError `invalid` */
export function filterIn(body: Fields, limits: ChromaLimits): Filter | undefined {
  checkOperands(body, limits)
  return andFilters(
    body.optional('where', (value) => parseWhere(value)),
    body.optional('whereDocument', (value) => parseWhereDocument(value)),
  )
}

/** @throws SiltstoneError `invalid` (bad-query) */
export function flagQuery(call: Call, name: string): boolean {
  const text = call.query(name)
  if (text === undefined || text === 'false') return false
  if (text === 'true') return true
  throw invalid('bad-query', `${name} is '${text.slice(0, 60)}'; give true or false`, { field: name })
}

/** Refuses fields that the endpoint does not know, so that a misspelt one is noticed. @throws SiltstoneError `invalid` */
export async function bodyWith(call: Call, known: readonly string[]): Promise<Fields> {
  const body = await call.body()
  for (const key of body.keys) {
    if (known.includes(key)) continue
    throw invalid('unknown-field', `the field ${JSON.stringify(key)} is not known; use ${known.join(', ')}`, {
      field: key,
    })
  }
  return body
}
