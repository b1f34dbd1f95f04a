/**
 * Repairs what can be repaired without losing anything that still exists, and reports what cannot. It never deletes.
 *
 * 1. The head: a pointer that is gone, or that names a damaged snapshot, is moved to the newest intact snapshot from
 *    which nothing is lost (`repair-pointer.ts`).
 * 2. The log: sequenced deltas that vanished or changed are voided by an entry (`repair-void.ts`).
 * 3. Remaining damage is reported, with the kept snapshots that are intact: `siltstone snapshots rollback` restores
 *    one.
 */
import { parseKey } from '../format/keys.ts'
import type { Manifest } from '../format/manifest.ts'
import type { LogLimits } from '../log/log-limits.ts'
import type { Environment } from '../ports/environment.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { foldLease, withLease } from '../ports/lease-guard.ts'
import type { CompactLimits } from '../compact/compact-limits.ts'
import { withoutMerges } from '../compact/merge-claims.ts'
import { chooseSnapshot, type Head, publishAgain, readHead, tryLoad } from './repair-pointer.ts'
import { voidVanished } from './repair-void.ts'
import { type Problem, REPAIR, verifyCollection } from './verify-collection.ts'
import { damageOf } from './verify-snapshot.ts'

const CACHE_BYTES = 32 * 1024 * 1024
/** Of damage that a repair leaves: to repair once more would not help. */
const RESTORE =
  'No kept snapshot is whole without losing what came after it: restore the object from a backup or an older version of it.'

export interface RepairOptions {
  log: LogLimits
  compact: Pick<CompactLimits, 'leaseTtlMs' | 'history'>
  /** Name of this process, for leases, entries and manifests. Unique per process. */
  name: string
  /** Only report what would be done. */
  dryRun: boolean
}

export interface RepairAction {
  kind: 'void' | 'publish'
  /** Key of the delta that was voided, or of the manifest that was published again. */
  key: string
  why: string
}

export interface RepairReport {
  collection: string
  dryRun: boolean
  /** A compactor or garbage collector is at work, so the head was not repaired. Try again when it is done. */
  busy: boolean
  /** What was done; with `dryRun`, what would be done. */
  actions: RepairAction[]
  /** Why the head could not be repaired: every snapshot that was examined, newest first. */
  refused: { key: string; reason: string }[]
  /** Names of the kept snapshots that are intact, newest first: `snapshots rollback` can restore each of them. */
  wholeSnapshots: string[]
  /** What is damaged afterwards. */
  problems: Problem[]
}

/** @throws SiltstoneError `corrupt` (log-broken), and what the store throws */
export async function repairCollection(env: Environment, path: string, options: RepairOptions): Promise<RepairReport> {
  const { dryRun, log, compact, name } = options
  const report: RepairReport = {
    collection: path,
    dryRun,
    busy: false,
    actions: [],
    refused: [],
    wholeSnapshots: [],
    problems: [],
  }
  const pool = new SegmentPool(env.store, new BlockCache(CACHE_BYTES))
  let head = await readHead(env, path, pool)
  if (head.damage !== undefined) {
    const guarded = dryRun
      ? { status: 'done' as const }
      : await withLease(env, foldLease(path), name, compact.leaseTtlMs, () =>
          withoutMerges(env, path, name, compact.leaseTtlMs, () => repairHead(env, path, pool, options, report)),
        )
    if (dryRun) await repairHead(env, path, pool, options, report)
    else report.busy = guarded.status === 'busy' || ('value' in guarded && guarded.value.status === 'busy')
    head = await readHead(env, path, pool)
  }
  if (head.manifest || head.pointer === 'none') {
    const voided = await voidVanished(env, path, { name, limits: log, dryRun })
    for (const { key, entry, how } of voided)
      report.actions.push({
        kind: 'void',
        key,
        why: `entry ${entry} sequences it, but it was ${how === 'gone' ? 'removed' : 'changed'}`,
      })
  }
  const after = await verifyCollection(env, path, { deep: true, limits: log })
  report.problems = after.problems.map((one) =>
    !dryRun && !report.busy && one.remedy === REPAIR ? { ...one, remedy: RESTORE } : one,
  )
  if (head.damage !== undefined && head.manifest) report.wholeSnapshots = await wholeSnapshots(env, pool, head.manifest)
  return report
}

async function repairHead(
  env: Environment,
  path: string,
  pool: SegmentPool,
  options: RepairOptions,
  report: RepairReport,
): Promise<void> {
  // Read again: another process may have repaired it before this one got the leases.
  const head: Head = await readHead(env, path, pool)
  if (head.damage === undefined) return
  const { chosen, readable, refused } = await chooseSnapshot(env, path, pool, options.log)
  if (!chosen) {
    report.refused = refused
    return
  }
  const action: RepairAction = { kind: 'publish', key: chosen.key, why: head.damage }
  if (options.dryRun) {
    report.actions.push(action)
    return
  }
  const published = await publishAgain(env, { chosen, readable }, head, {
    name: options.name,
    history: options.compact.history,
  })
  if (published) report.actions.push(action)
  else report.busy = true
}

async function wholeSnapshots(env: Environment, pool: SegmentPool, current: Manifest): Promise<string[]> {
  const manifests = new ManifestStore(env, current.collection)
  const names: string[] = []
  const newestFirst = [...current.pins].sort((a, b) => b.committedAtMs - a.committedAtMs || b.watermark - a.watermark)
  for (const key of new Set(newestFirst.map(({ manifestKey }) => manifestKey))) {
    const manifest = await tryLoad(manifests, key)
    const parsed = parseKey(key)
    if (typeof manifest === 'string' || manifest.state === 'closed' || parsed?.kind !== 'manifest') continue
    if ((await damageOf(env, pool, manifest, key)).length === 0) names.push(`${parsed.watermark}-${parsed.ulid}`)
  }
  return names
}
