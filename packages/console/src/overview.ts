/** Tenants, their databases and collections, within limits: a store may have very many. */
import { get, ours, type Place, Refused, ROOT } from './api.ts'
import type { CollectionSummary } from './types.ts'

const MAX_TENANTS = 50
const MAX_DATABASES = 50
const MAX_COLLECTIONS = 100
const AT_ONCE = 4

export interface DatabaseOverview extends Place {
  collections: CollectionSummary[]
  /** There are more collections than are listed. */
  hasMore: boolean
  /** The token has no access to it. */
  isForbidden: boolean
}

export interface Overview {
  databases: DatabaseOverview[]
  tenants: number
  /** There are more tenants, databases or collections than are listed. */
  hasMore: boolean
}

export async function loadOverview(signal: AbortSignal): Promise<Overview> {
  const tenants = await get<{ name: string }[]>(`${ROOT}/tenants?limit=${MAX_TENANTS}`, signal)
  const places = await mapPooled(tenants, async ({ name: tenant }) => {
    const path = `/api/v2/tenants/${encodeURIComponent(tenant)}/databases?limit=${MAX_DATABASES}`
    const names = (await unlessForbidden(get<{ name: string }[]>(path, signal))) ?? []
    return names.map(({ name }) => ({ tenant, database: name }))
  })
  const databases = await mapPooled(places.flat(), async (place): Promise<DatabaseOverview> => {
    const path = `${ours(place)}?limit=${MAX_COLLECTIONS}`
    const collections = await unlessForbidden(get<CollectionSummary[]>(path, signal))
    return {
      ...place,
      collections: collections ?? [],
      hasMore: collections?.length === MAX_COLLECTIONS,
      isForbidden: collections === undefined,
    }
  })
  return {
    databases,
    tenants: tenants.length,
    hasMore:
      tenants.length === MAX_TENANTS ||
      places.some(({ length }) => length === MAX_DATABASES) ||
      databases.some(({ hasMore }) => hasMore),
  }
}

async function unlessForbidden<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Refused && error.status === 403) return undefined
    throw error
  }
}

/** The results in the order of the items, a few at a time. */
export async function mapPooled<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results = Array<R>(items.length)
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const i = next++
      results[i] = await run(items[i] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
  return results
}

export const sumOf = (collections: readonly CollectionSummary[], value: (one: CollectionSummary) => number): number =>
  collections.reduce((sum, one) => sum + value(one), 0)
