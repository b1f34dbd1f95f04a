/** Verifies the catalog: every tenant, database, collection and claim, and the store's descriptor. It changes nothing. */
import type { CollectionDocument } from '../catalog/collection-document.ts'
import { isSiltstoneError } from '../errors.ts'
import { collectionPath } from '../format/keys.ts'
import { CollectionState } from '../log/collection-state.ts'
import { limitsOf } from '../log/log-limits.ts'
import type { Environment } from '../ports/environment.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { type CatalogScan, scanCatalog } from './catalog-scan.ts'
import { type CatalogFinding, examineCatalog } from './examine-catalog.ts'
import type { Problem } from './verify-report.ts'

export interface CatalogReport {
  problems: Problem[]
  /** Catalog objects, and their bytes. */
  objects: number
  bytes: number
  /** Every collection of any tenant that has an id object or data, deleted ones included, by path. */
  collections: { path: string; name: string | undefined; tenant: string | undefined; database: string | undefined }[]
}

const CACHE_BYTES = 1024 * 1024

export async function verifyCatalog(env: Environment): Promise<CatalogReport> {
  const { scan, findings } = await findDamage(env)
  return {
    problems: findings.map(({ problem }) => problem),
    objects: scan.objects,
    bytes: scan.bytes,
    collections: collectionsOf(scan),
  }
}

/** What two scans in a row find: a change in progress is seen by one of them at most. */
export async function findDamage(
  env: Environment,
  described?: ReadonlyMap<string, CollectionDocument>,
): Promise<{ scan: CatalogScan; findings: CatalogFinding[] }> {
  const help = {
    isClosed: (path: string) => isClosed(env, path),
    ulid: () => env.ids.ulid(),
    uuid: () => env.ids.uuid(),
    ...(described && { described }),
  }
  const scan = await scanCatalog(env)
  const findings = await examineCatalog(scan, help)
  if (findings.length === 0) return { scan, findings }
  const again = await scanCatalog(env)
  const confirmed = new Set(findings.map(({ problem }) => problem.key))
  const stay = (await examineCatalog(again, help)).filter(({ problem }) => confirmed.has(problem.key))
  return { scan: again, findings: stay }
}

/** A damaged log is not closed as far as anybody can tell. */
async function isClosed(env: Environment, path: string): Promise<boolean> {
  const pool = new SegmentPool(env.store, new BlockCache(CACHE_BYTES))
  try {
    await new CollectionState({ env, path, pool, limits: limitsOf(env.store), inbox: true }).strongView()
    return false
  } catch (error) {
    if (isSiltstoneError(error, 'not-found')) return true
    if (isSiltstoneError(error, 'corrupt') || isSiltstoneError(error, 'unsupported')) return false
    throw error
  }
}

function collectionsOf(scan: CatalogScan): CatalogReport['collections'] {
  const found = new Map<string, CatalogReport['collections'][number]>()
  for (const path of scan.dataPaths) found.set(path, { path, name: undefined, tenant: undefined, database: undefined })
  // A claim names collections whose id object is damaged; a good id object knows better.
  for (const { document } of scan.claims.values()) if (document?.collectionId) add(document, document.collectionId)
  for (const { document } of scan.ids.values()) if (document?.state === 'live') add(document, document.id)
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))

  function add({ tenant, database, name }: { tenant: string; database: string; name: string }, id: string): void {
    const path = collectionPath({ tenant, database, collectionId: id })
    found.set(path, { path, name, tenant, database })
  }
}
