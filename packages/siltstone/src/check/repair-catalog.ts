/**
 * Makes lost or damaged catalog objects again from what the others know (`examine-catalog.ts`). Each write is conditional: a
 * missing object is created if absent, a damaged one is replaced with If-Match on the damaged version. A process that
 * changed the object in the meantime wins, and the catalog is examined again.
 *
 * Safety rests on the claims' protocol (`catalog/claims.ts`): a claim is written for a collection only if its own object says
 * that it has the name, and no collection that wants the name can hold a claim that is missing or unreadable. An id object
 * is made again as `live`, from the copy in the claim: a collection whose deletion had begun comes back, and nothing is lost.
 * A collection whose log is closed was deleted: it stays so, and what is left of its object is removed.
 */
import type { CollectionDocument } from '../catalog/collection-document.ts'
import { encodeDocument } from '../catalog/document-codec.ts'
import { STORE_DESCRIPTOR } from '../catalog/store-descriptor.ts'
import { isSiltstoneError } from '../errors.ts'
import type { Environment } from '../ports/environment.ts'
import { type CatalogFix } from './examine-catalog.ts'
import { findDamage } from './verify-catalog.ts'
import type { Problem } from './verify-report.ts'

/** A lost id object is needed before the claim that names it, and a database's incarnation comes from id objects. */
const ROUNDS = 4

export interface CatalogRepairReport {
  actions: { kind: 'rebuild' | 'remove'; key: string; why: string }[]
  /** What is damaged afterwards. */
  problems: Problem[]
}

/** @param described documents, by path, of collections whose id object is lost and whose claim has no copy */
export async function repairCatalog(
  env: Environment,
  options: { dryRun: boolean; described?: ReadonlyMap<string, CollectionDocument> },
): Promise<CatalogRepairReport> {
  const actions: CatalogRepairReport['actions'] = []
  for (let round = 0; ; round++) {
    const { findings } = await findDamage(env, options.described)
    const fixes = findings.flatMap(({ fix }) => (fix === undefined ? [] : [fix]))
    if (options.dryRun || fixes.length === 0 || round >= ROUNDS) {
      if (options.dryRun) actions.push(...fixes.map(actionOf))
      return { actions, problems: findings.map(({ problem }) => problem) }
    }
    for (const fix of fixes) if (await apply(env, fix)) actions.push(actionOf(fix))
  }
}

function actionOf({ key, write, why }: CatalogFix): CatalogRepairReport['actions'][number] {
  return { kind: write === 'removal' ? 'remove' : 'rebuild', key, why }
}

/** @returns false when another process changed the object */
async function apply(env: Environment, { key, etag, write }: CatalogFix): Promise<boolean> {
  // No process can read the object, so none can change it meanwhile.
  if (write === 'removal') return (await env.store.delete([key])).deleted.includes(key)
  const body =
    write === undefined
      ? Buffer.from(STORE_DESCRIPTOR, 'utf8')
      : encodeDocument(write.type, { ...write.document, writes: [...write.document.writes, env.ids.ulid()] })
  const condition = etag === undefined ? { ifAbsent: true as const } : { ifMatch: etag }
  const contentType = write === undefined ? 'text/plain' : 'application/json'
  try {
    return (await env.store.put(key, body, { ...condition, contentType })).status === 'ok'
  } catch (error) {
    // A symbolic link has no version that could be replaced.
    if (isSiltstoneError(error, 'corrupt')) return false
    throw error
  }
}
