/** The upkeep of an opened store: see the interface. */
import { verifyCollection } from '../check/verify-collection.ts'
import type { CompactLimits } from '../compact/compact-limits.ts'
import type { CompactOptions } from '../compact/compactor.ts'
import { previewGarbage } from '../gc/garbage-preview.ts'
import type { LogLimits } from '../log/log-limits.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type {
  CompactionState,
  CompactRequest,
  GarbagePreview,
  KeepRequest,
  LeaseInfo,
  Maintenance,
  RecallOptions,
  RecallReport,
  RestorePoint,
} from '../model/maintenance.ts'
import type { Collection, CompactionOutcome } from '../model/store.ts'
import type { VerifyReport } from '../model/verify.ts'
import type { Environment } from '../ports/environment.ts'
import { foldLease, foldSlots, mergeLease, mergeSlots } from '../ports/lease-guard.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import { leaseInfo } from './lease-info.ts'
import type { RealQueries } from './real-queries.ts'
import { measureRecall } from './recall.ts'
import { RestorePoints } from './restore-points.ts'

export interface MaintenanceParts {
  env: Environment
  log: LogLimits
  limits: CompactLimits
  /** Name of this process, for manifests. */
  name: string
  pathOf: (collection: CollectionInfo) => string
  compact: (path: string, options: CompactOptions) => Promise<CompactionOutcome>
  foldFully: (path: string) => Promise<void>
  open: (collection: CollectionInfo) => Promise<Collection>
  /** Those that were sampled. */
  realQueries: (collection: CollectionInfo) => RealQueries
}

export class StoreMaintenance implements Maintenance {
  readonly #parts: MaintenanceParts

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
  }

  compact(collection: CollectionInfo, { merge = true, full = false }: CompactRequest = {}): Promise<CompactionOutcome> {
    return this.#parts.compact(this.#parts.pathOf(collection), { merge, full })
  }

  async compactionState(collection: CollectionInfo): Promise<CompactionState> {
    const { env, pathOf, open } = this.#parts
    const path = pathOf(collection)
    const [{ version, indexing, watermark }, current, leases] = await Promise.all([
      (await open(collection)).state(),
      new ManifestStore(env, path).current(),
      Promise.all(
        [foldLease(path), ...foldSlots(path), mergeLease(path), ...mergeSlots(path)].map((name) =>
          env.leases.inspect(name),
        ),
      ),
    ])
    const nowMs = env.clock.nowMs()
    const known = leases.filter((lease) => lease !== undefined).map((lease) => leaseInfo(lease, nowMs))
    if (current === 'none')
      return { version, watermark, indexing, segments: [], refused: [], lastCommit: null, leases: known }
    const { kind, writer, createdAtMs, durationMs, segments, refused } = current.manifest
    return {
      version,
      watermark,
      indexing,
      segments: segments.map(({ segment, deletions, overlays }) => ({
        id: segment.id,
        rows: segment.rows,
        deleted: deletions?.count ?? 0,
        overlays: overlays.length,
        sizeBytes: segment.sizeBytes,
      })),
      refused: refused.map(({ key, reason }) => ({ key, reason })),
      lastCommit: { kind, writer, createdAtMs, durationMs },
      leases: known,
    }
  }

  async leases(): Promise<LeaseInfo[]> {
    const { leases, clock } = this.#parts.env
    const all = await leases.list()
    return all.map((lease) => leaseInfo(lease, clock.nowMs()))
  }

  garbage(collection: CollectionInfo): Promise<GarbagePreview> {
    return this.garbageAt(this.#parts.pathOf(collection))
  }

  /** @param path of a collection that may be deleted */
  garbageAt(path: string): Promise<GarbagePreview> {
    const { env, log, limits } = this.#parts
    return previewGarbage(path, env, { log, limits })
  }

  verify(collection: CollectionInfo, { deep }: { deep: boolean }): Promise<VerifyReport> {
    const { env, log, pathOf } = this.#parts
    return verifyCollection(env, pathOf(collection), { deep, limits: log })
  }

  async recall(collection: CollectionInfo, options: RecallOptions): Promise<RecallReport> {
    const { env, open, realQueries } = this.#parts
    const opened = await open(collection)
    const real = realQueries(opened.info).newest(options.samples)
    return measureRecall(opened, { ...options, real, random: env.random })
  }

  restorePoints(collection: CollectionInfo): Promise<RestorePoint[]> {
    return this.#restorePoints(collection).list()
  }

  async keep(collection: CollectionInfo, request: KeepRequest): Promise<RestorePoint> {
    // The current manifest alone would leave out what is only in the log.
    if ((request.snapshot ?? 'current') === 'current') await this.#parts.foldFully(this.#parts.pathOf(collection))
    return this.#restorePoints(collection).keep(request)
  }

  release(collection: CollectionInfo, name: string): Promise<void> {
    return this.#restorePoints(collection).release(name)
  }

  #restorePoints(collection: CollectionInfo): RestorePoints {
    const { env, limits, name, pathOf } = this.#parts
    return new RestorePoints({ env, path: pathOf(collection), writer: name, history: limits.history })
  }
}
