/**
 * Reads everything that a collection needs, and reports what is damaged and what to do about it. It changes nothing.
 *
 * Writers, compactors and garbage collectors may run at the same time. What they publish later is not examined, and
 * within the grace period they remove nothing that the manifest needs with which the verification began. If problems
 * were found and the pointer has moved since, the grace period may have passed, so the verification begins again.
 */
import { isSiltstoneError } from '../errors.ts'
import { manifestPrefix, parseKey, pointerKey, snapshotPrefix } from '../format/keys.ts'
import { emptyManifest, type Manifest } from '../format/manifest.ts'
import { CollectionState } from '../log/collection-state.ts'
import { type LogLimits, limitsOf } from '../log/log-limits.ts'
import { pages } from '../log/listing.ts'
import type { Environment } from '../ports/environment.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { ManifestStore, type PointerState } from '../snapshot/manifest-store.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { RESTORE, verifyLog } from './verify-log.ts'
import { Findings, type VerifyReport } from './verify-report.ts'
import { SnapshotVerifier } from './verify-snapshot.ts'

export type { Problem, VerifyReport } from './verify-report.ts'

const ATTEMPTS = 3
const CACHE_BYTES = 32 * 1024 * 1024
export const REPAIR = 'Run "siltstone repair": it looks for the newest snapshot that is whole.'
const OLD = 'This kept version cannot be read any more; nothing else depends on it.'
const FORK = 'A fork reads it. Run "siltstone verify" on the fork.'

export interface VerifyOptions {
  /** Read every byte and compare every row. Otherwise existence, sizes, manifests, bitmaps and the log are checked. */
  deep: boolean
  limits?: Pick<LogLimits, 'deltaBytes'>
}

/** @throws SiltstoneError what the store throws; damage is reported, not thrown */
export async function verifyCollection(env: Environment, path: string, options: VerifyOptions): Promise<VerifyReport> {
  for (let attempt = 1; ; attempt++) {
    const { report, pointer } = await verifyOnce(env, path, options)
    if (report.problems.length === 0 || attempt >= ATTEMPTS) return report
    const now = await new ManifestStore(env, path).readPointer().catch(asUndefined)
    if (etagOf(now) === etagOf(pointer)) return report
  }
}

function asUndefined(error: unknown): undefined {
  if (!isSiltstoneError(error, 'corrupt')) throw error
  return undefined
}

function etagOf(pointer: PointerState | string | undefined): string | undefined {
  return typeof pointer === 'object' ? pointer.etag : pointer
}

async function verifyOnce(
  env: Environment,
  path: string,
  options: VerifyOptions,
): Promise<{ report: VerifyReport; pointer: PointerState | 'none' | undefined }> {
  const findings = new Findings()
  const manifests = new ManifestStore(env, path)
  const pointer = (await findings.check(pointerKey(path), REPAIR, () => manifests.readPointer())) as
    | PointerState
    | 'none'
    | undefined
  const key = typeof pointer === 'object' ? pointer.manifestKey : null
  const current = key === null ? undefined : await findings.check(key, REPAIR, () => manifests.loadExisting(key))
  const report: VerifyReport = {
    collection: path,
    state: current?.state ?? 'never-folded',
    deep: options.deep,
    manifestKey: key,
    watermark: current?.watermark ?? 0,
    version: 0,
    liveRecords: null,
    problems: findings.problems,
    figures: findings.figures,
  }
  if (pointer === 'none') await reportLostPointer(env, path, findings)
  else if (pointer) findings.object(pointerKey(path), (await env.store.head(pointerKey(path)))?.sizeBytes ?? 0)
  const usable = current ?? (pointer === 'none' && findings.problems.length === 0 ? emptyManifest(path) : undefined)
  if (!usable) return { report, pointer }
  if (key !== null && current) await verifyManifests(env, manifests, key, current, options.deep, findings)
  const limits = { ...limitsOf(env.store), ...options.limits }
  // A listing fails when a directory in it is a symbolic link.
  await findings.check(path, RESTORE, async () => {
    const log = await verifyLog(env, usable, { deep: options.deep, deltaBytes: limits.deltaBytes }, findings)
    report.version = log.end
    await countUnreferenced(env, path, findings)
  })
  if (findings.problems.every(({ severity }) => severity === 'warning'))
    report.liveRecords = await countLiveRecords(env, path, limits, findings)
  return { report, pointer }
}

/** Before the first fold there is neither a pointer nor a manifest. */
async function reportLostPointer(env: Environment, path: string, findings: Findings): Promise<void> {
  const page = await env.store.list(manifestPrefix(path), { limit: 1 })
  if (page.objects.length > 0)
    findings.report(pointerKey(path), 'it is missing, although the collection has snapshots', REPAIR)
}

async function verifyManifests(
  env: Environment,
  manifests: ManifestStore,
  key: string,
  current: Manifest,
  deep: boolean,
  findings: Findings,
): Promise<void> {
  const pool = new SegmentPool(env.store, new BlockCache(CACHE_BYTES))
  const snapshots = new SnapshotVerifier(env, pool, { deep, findings })
  await countManifest(env, manifests, key, findings)
  await snapshots.verify(current, key, REPAIR, 'error')
  findings.figures.snapshotRecords = current.liveRecords
  const pinned = new Map(current.pins.map((pin) => [pin.manifestKey, pin]))
  pinned.delete(key)
  for (const [pinnedKey, pin] of pinned) {
    const severity = pin.kind === 'history' ? 'warning' : 'error'
    const remedy = pin.kind === 'fork' ? FORK : OLD
    const manifest = await findings.check(pinnedKey, remedy, () => manifests.loadExisting(pinnedKey), severity)
    if (!manifest) continue
    await countManifest(env, manifests, pinnedKey, findings)
    await snapshots.verify(manifest, pinnedKey, remedy, severity)
  }
  await verifyOwners(env, current, findings)
}

async function countManifest(
  env: Environment,
  manifests: ManifestStore,
  key: string,
  findings: Findings,
): Promise<void> {
  findings.figures.manifests++
  findings.object(key, (await env.store.head(key))?.sizeBytes ?? 0)
  for (const list of await manifests.listObjects(key)) findings.object(list.key, list.sizeBytes)
}

/** A fork reads segments of its source, which must pin them for it. */
async function verifyOwners(env: Environment, manifest: Manifest, findings: Findings): Promise<void> {
  for (const { collection, manifestKey } of manifest.owners) {
    const remedy =
      'Read the records out and write them to a new collection, before garbage is collected in the one it was forked from.'
    await findings.check(manifestKey, remedy, async () => {
      const source = new ManifestStore(env, collection)
      const pointer = await source.readPointer()
      const pins = typeof pointer === 'string' ? [] : (await source.loadExisting(pointer.manifestKey)).pins
      const pinned = pins.some((pin) => pin.kind === 'fork' && pin.reason === manifest.collection)
      if (!pinned) findings.report(manifestKey, `${collection} does not keep it for this fork`, remedy)
    })
  }
}

async function countUnreferenced(env: Environment, path: string, findings: Findings): Promise<void> {
  for await (const page of pages(env.store, snapshotPrefix(path)))
    for (const { key, sizeBytes } of page) {
      const parsed = parseKey(key)
      // Copies of deltas are kept as long as the entries that name them.
      if (findings.has(key) || !parsed || parsed.kind === 'taken') continue
      findings.figures.unreferencedObjects++
      findings.figures.unreferencedBytes += sizeBytes
    }
}

/** The last check: a reader opens the state and applies the log. */
async function countLiveRecords(
  env: Environment,
  path: string,
  limits: LogLimits,
  findings: Findings,
): Promise<number | null> {
  const pool = new SegmentPool(env.store, new BlockCache(CACHE_BYTES))
  const state = new CollectionState({ env, path, pool, limits, inbox: true })
  const count = await findings.check(path, REPAIR, async () => {
    try {
      return (await state.strongView()).liveRecords
    } catch (error) {
      // A deleted collection has no records.
      if (isSiltstoneError(error, 'not-found')) return 0
      throw error
    }
  })
  return count ?? null
}
