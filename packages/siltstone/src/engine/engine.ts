/** An open store: the catalog, and a handle for each collection in use. */
import { type GarbageOutcome, initialiseStore, ObjectCatalog } from '../catalog/index.ts'
import { type CompactOptions, Compactor } from '../compact/compactor.ts'
import { collectGarbage, type GcOutcome } from '../gc/garbage-collector.ts'
import { dueGcs } from '../compact/gc-schedule.ts'
import { type CompactLimits, compactLimitsOf } from '../compact/compact-limits.ts'
import { conflict, isFull, isSiltstoneError, unavailable } from '../errors.ts'
import { collectionPath, logRoot, parseCollectionPath } from '../format/keys.ts'
import { emptyManifest, type Manifest } from '../format/manifest.ts'
import { LruMap } from '../lru.ts'
import { CollectionState } from '../log/collection-state.ts'
import { limitsOf, type LogLimits } from '../log/log-limits.ts'
import { LogWriter } from '../log/writer.ts'
import type { Environment } from '../ports/environment.ts'
import { defaultRecordLimits, type RecordLimits } from '../records/record-limits.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { EngineCollection } from './collection.ts'
import { History } from './history.ts'
import { StoreMaintenance } from './maintenance.ts'
import { RecallSampler, type RecallSampling } from './recall-sampler.ts'
import type { Catalog, CollectionInfo } from '../model/collection.ts'
import type { Collection, CompactionOutcome, Engine } from '../model/store.ts'
import { VERSION } from '../version.ts'
import { WakeUps } from './wake-ups.ts'

export interface EngineOptions {
  env: Environment
  log?: LogLimits
  compact?: CompactLimits
  /** Bytes of parsed blocks kept in memory. Default 160 MB. */
  blockCacheBytes?: number
  boundedStalenessMs?: number
  /** Bounds within a record, for writes through this engine. Default `defaultRecordLimits`. */
  recordLimits?: Partial<RecordLimits>
  /** Measure the recall of some queries while serving. */
  recallSampling?: RecallSampling
  /** How many collections are kept open. Default 512. */
  openCollections?: number
  /** Open the store without looking at its descriptor, to examine a damaged one. */
  anyDescriptor?: boolean
}

interface Open {
  collection: EngineCollection
  state: CollectionState
  writer: LogWriter
}

const MB = 1024 * 1024
/** The rest is for what queries read besides: lists, rows, ids. */
const READ_AHEAD_SHARE = 0.9

export class StoreEngine implements Engine {
  readonly env: Environment
  readonly catalog: Catalog
  readonly compactor: Compactor
  readonly maintenance: StoreMaintenance
  readonly name: string
  readonly #log: LogLimits
  readonly #compact: CompactLimits
  readonly #cache: BlockCache
  readonly #objectCatalog: ObjectCatalog
  readonly #wakeUps: WakeUps
  readonly #open: LruMap<string, Open>
  readonly #boundedStalenessMs: number
  readonly #recordLimits: RecordLimits
  readonly #recall: RecallSampler | undefined
  #closed = false

  private constructor(options: EngineOptions) {
    const { env } = options
    this.env = env
    this.name = `siltstone-${VERSION}/${env.ids.ulid()}`
    this.#log = options.log ?? limitsOf(env.store)
    this.#compact = options.compact ?? compactLimitsOf(env.store)
    this.#cache = new BlockCache(options.blockCacheBytes ?? 160 * MB)
    this.#open = new LruMap(options.openCollections ?? 512)
    this.#boundedStalenessMs = options.boundedStalenessMs ?? 1_000
    this.#recordLimits = { ...defaultRecordLimits, ...options.recordLimits }
    this.#recall = options.recallSampling && new RecallSampler(env, options.recallSampling)
    this.#wakeUps = new WakeUps(env)
    this.compactor = new Compactor({ env, log: this.#log, limits: this.#compact, name: this.name })
    this.#objectCatalog = new ObjectCatalog({
      store: env.store,
      clock: env.clock,
      ids: env.ids,
      log: env.log,
      recordLimits: this.#recordLimits,
      closeLog: (info) => this.#closeLog(info),
      dimensionOf: (info) => this.#dimensionOf(info),
    })
    this.catalog = this.#objectCatalog
    this.maintenance = new StoreMaintenance({
      env,
      log: this.#log,
      limits: this.#compact,
      name: this.name,
      pathOf,
      compact: (path, work) => this.compact(path, work),
      foldFully: (path) => this.#foldFully(path),
      open: ({ tenant, database, id }) => this.collection(tenant, database, id),
      realQueries: (info) => this.#use(info).collection.realQueries,
    })
  }

  /** @throws SiltstoneError when the directory or bucket holds something else */
  static async open(options: EngineOptions): Promise<StoreEngine> {
    if (options.anyDescriptor !== true) await initialiseStore(options.env.store)
    return new StoreEngine(options)
  }

  async collection(tenant: string, database: string, id: string): Promise<Collection> {
    const info = await this.#objectCatalog.recentCollectionById(tenant, database, id)
    return this.#use(info).collection
  }

  /** Reads what queries of a collection read into the cache of blocks, as far as it is empty. */
  readAhead(info: CollectionInfo, isOver: () => boolean): Promise<void> {
    const roomBytes = this.#cache.limitBytes - this.#cache.sizeBytes
    return this.#use(info).collection.readAhead(roomBytes * READ_AHEAD_SHARE, isOver)
  }

  /** Vectors of some records of a collection, to ask it with. Empty before its first snapshot. */
  sampleVectors(info: CollectionInfo, count: number): Promise<Float32Array[]> {
    return this.#use(info).collection.sampleVectors(count)
  }

  #use(info: CollectionInfo): Open {
    const path = pathOf(info)
    const known = this.#open.get(path)
    if (known) {
      known.collection.info = info
      return known
    }
    const state = new CollectionState({
      env: this.env,
      path,
      pool: new SegmentPool(this.env.store, this.#cache),
      limits: this.#log,
      inbox: info.inbox,
    })
    const writer = new LogWriter(state, this.name, (version) => this.#wakeUps.send(path, version))
    const history = new History(this.env, path, this.name, this.#compact.history)
    const collection = new EngineCollection({
      info,
      state,
      writer,
      history,
      boundedStalenessMs: this.#boundedStalenessMs,
      recordLimits: this.#recordLimits,
      ...(this.#recall && { recall: this.#recall }),
      fork: (source, newName) => this.#fork(source, newName, history),
      forkCount: (one) => this.#forkCount(one),
    })
    const open = { collection, state, writer }
    this.#open.set(path, open)
    return open
  }

  /**
   * Lets go of what was folded of a collection's log, once another thread or process has committed it: the next read or
   * write would do so as well, but it may never come.
   */
  async followCommit(path: string): Promise<void> {
    try {
      await this.#open.get(path)?.state.followCommit()
    } catch (error) {
      // The next read or write meets the same error, and answers it.
      this.env.log.debug('commit_not_followed', { collection: path, error: String(error) })
    }
  }

  /** Appends the last entry of the log: nothing can be written after it. */
  async #closeLog(info: CollectionInfo): Promise<void> {
    const { writer } = this.#use(info)
    try {
      await writer.append(() => ({ records: [], control: { kind: 'closed' as const }, result: null }), { sizeBytes: 0 })
    } catch (error) {
      // It was closed by an earlier deletion that did not finish.
      if (!isSiltstoneError(error, 'not-found')) throw error
    }
    this.#open.delete(pathOf(info))
  }

  async #dimensionOf(info: CollectionInfo): Promise<number | null> {
    try {
      return await this.#use(info).collection.dimension()
    } catch (error) {
      if (isSiltstoneError(error, 'not-found')) return null
      // One damaged collection must not hide the others in a list, nor itself from `verify` and `repair`.
      if (!isSiltstoneError(error, 'corrupt')) throw error
      this.env.log.warn('dimension_unreadable', { collection: pathOf(info), error: error.message })
      return null
    }
  }

  /** The forks of the whole lineage: those of the first collection that was no fork, of its forks, and so on. */
  async #forkCount(info: CollectionInfo): Promise<number> {
    let path = pathOf(info)
    for (let forkOf = info.forkOf; forkOf !== undefined; ) {
      path = pathOf({ ...info, id: forkOf })
      try {
        forkOf = (await this.catalog.getCollectionById(info.tenant, info.database, forkOf)).forkOf
      } catch (error) {
        // What a deleted collection was forked from is not known; its own manifest still pins what its forks read.
        if (!isSiltstoneError(error, 'not-found')) throw error
        break
      }
    }
    let count = 0
    const paths = [path]
    for (let one = paths.pop(); one !== undefined; one = paths.pop()) {
      const current = await new ManifestStore(this.env, one).current()
      const forks = current === 'none' ? [] : current.manifest.pins.filter(({ kind }) => kind === 'fork')
      count += forks.length
      paths.push(...forks.map(({ reason }) => reason))
    }
    return count
  }

  /**
   * Folds the source, pins its manifest there, then publishes the fork's own pointer over the same segments. The pin
   * comes first, so a garbage collector can at no time delete what the fork reads.
   */
  async #fork(source: CollectionInfo, newName: string, history: History): Promise<CollectionInfo> {
    const sourcePath = pathOf(source)
    await this.#foldFully(sourcePath)
    return this.#objectCatalog.createFork({
      source,
      newName,
      prepare: async (fork) => {
        const path = pathOf(fork)
        const manifests = new ManifestStore(this.env, path)
        const startedAtMs = this.env.clock.nowMs()
        const isEmpty = (await new ManifestStore(this.env, sourcePath).readPointer()) === 'none'
        // step: source-is-pinned
        const pinned = isEmpty ? undefined : await history.pin('current', { kind: 'fork', untilMs: null, reason: path })
        const state: Partial<Manifest> = pinned
          ? {
              segments: pinned.manifest.segments,
              dimension: pinned.manifest.dimension,
              nextOrdinal: pinned.manifest.nextOrdinal,
              liveRecords: pinned.manifest.liveRecords,
              owners: [{ collection: sourcePath, manifestKey: pinned.key }],
            }
          : {}
        const nowMs = this.env.clock.nowMs()
        const manifest: Manifest = {
          ...emptyManifest(path),
          ...state,
          id: this.env.ids.ulid(),
          kind: 'fork',
          createdAtMs: nowMs,
          durationMs: nowMs - startedAtMs,
          writer: this.name,
        }
        const committed = await manifests.commit('none', manifest)
        if (committed !== 'lost') return
        // An earlier attempt of ours published it, or a garbage collector ended it and dropped its pin in the source.
        const current = await manifests.current()
        // step: ended-fork-is-refused
        if (current === 'none' || current.manifest.state === 'live') return
        throw conflict('creation-abandoned', `The fork [${fork.name}] took so long that it was given up: try again`)
      },
    })
  }

  /**
   * @throws SiltstoneError `unavailable` (busy) when another process folds for longer than the lease of a dead process
   * lasts
   */
  async #foldFully(path: string): Promise<void> {
    const { clock } = this.env
    const withinMs = Math.max(10_000, 2 * this.#compact.leaseTtlMs)
    for (const began = clock.monotonicMs(); clock.monotonicMs() - began < withinMs; await clock.sleep(100))
      if (!(await this.compactor.compact(path, { merge: false })).busy) return
    throw unavailable('busy', `another process has been compacting ${path} for ${withinMs} ms; retry`, {
      retryAfterMs: 1_000,
    })
  }

  /** Folds and merges one collection. */
  compact(path: string, options: CompactOptions = {}): Promise<CompactionOutcome> {
    return this.compactor.compact(path, options)
  }

  /** Collects the garbage of one collection, after a fold: unfolded entries cannot be judged. On a full disk it makes room for one. */
  async collectGarbage(path: string, signal?: AbortSignal): Promise<GcOutcome> {
    try {
      await this.compactor.compact(path, { merge: false, ...(signal && { signal }) })
    } catch (error) {
      if (!isFull(error)) throw error
      this.env.log.warn('fold_has_no_room', { collection: path, error: error.message })
    }
    return collectGarbage(path, {
      env: this.env,
      log: this.#log,
      limits: this.#compact,
      name: this.name,
      ...(signal && { signal }),
    })
  }

  /** Finishes incomplete changes of the catalog and removes what they left behind. @param graceMs as for `ObjectCatalog` */
  collectCatalogGarbage(graceMs?: number): Promise<GarbageOutcome> {
    return this.#objectCatalog.collectGarbage(graceMs)
  }

  /** Collections that have log entries or inbox deltas. This takes one LIST, and idle collections cost nothing. */
  async collectionsWithLogs(): Promise<string[]> {
    const paths: string[] = []
    let continuation: string | undefined
    do {
      const page = await this.env.store.list(logRoot, {
        delimiter: '/',
        ...(continuation !== undefined && { continuation }),
      })
      for (const prefix of page.prefixes) {
        const path = prefix.slice(logRoot.length, -1)
        if (parseCollectionPath(path)) paths.push(path)
      }
      continuation = page.continuation
    } while (continuation !== undefined)
    return paths
  }

  /**
   * Runs the garbage collections that are due. One that fails, such as that of a damaged collection, stays due, and keeps no other
   * from its turn.
   * @throws the first failure, after all
   */
  async collectDue(signal?: AbortSignal): Promise<GcOutcome[]> {
    const { log, store } = this.env
    const outcomes = new Map<string, GcOutcome>()
    const failures = new Map<string, unknown>()
    for (const { key, path } of await dueGcs(this.env)) {
      signal?.throwIfAborted()
      if (failures.has(path)) continue
      try {
        if (!outcomes.has(path)) outcomes.set(path, await this.collectGarbage(path, signal))
        await store.delete([key])
      } catch (error) {
        if (signal?.aborted === true) throw error
        failures.set(path, error)
        log.error('gc_failed', {
          collection: path,
          error: String(error),
          ...(isSiltstoneError(error) && { code: error.code }),
        })
      }
    }
    for (const failure of failures.values()) throw failure
    return [...outcomes.values()]
  }

  /** Sends the wake-up calls that wait to be combined with others: for hosts that do not run between requests. */
  async flushWakeUps(): Promise<void> {
    await this.#wakeUps.flush()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#open.values()].map(({ writer }) => writer.idle()))
    await this.#wakeUps.flush()
  }
}

export function pathOf(info: Pick<CollectionInfo, 'tenant' | 'database' | 'id'>): string {
  return collectionPath({ tenant: info.tenant, database: info.database, collectionId: info.id })
}
