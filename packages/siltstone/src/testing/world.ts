/** A collection without a catalog: for tests of the log, of compaction and of collection. */
import { defaultRecordLimits } from '../records/record-limits.ts'
import { collectGarbage } from '../gc/garbage-collector.ts'
import { Compactor } from '../compact/compactor.ts'
import { type CompactLimits, defaultCompactLimits } from '../compact/compact-limits.ts'
import { EngineCollection } from '../engine/collection.ts'
import { History } from '../engine/history.ts'
import type { CollectionInfo } from '../model/collection.ts'
import { collectionPath } from '../format/keys.ts'
import { CollectionState } from '../log/collection-state.ts'
import { directoryLimits, type LogLimits } from '../log/log-limits.ts'
import { LogWriter } from '../log/writer.ts'
import type { Environment } from '../ports/environment.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { StoredObjects } from './stored-objects.ts'

const ID = '11111111-1111-4111-8111-111111111111'

export const path = collectionPath({ tenant: 't', database: 'd', collectionId: ID })

const info: CollectionInfo = {
  id: ID,
  name: 'things',
  tenant: 't',
  database: 'd',
  space: 'l2',
  metadata: null,
  configuration: {},
  schema: null,
  dimension: null,
  createdAtMs: 0,
  inbox: true,
}

export interface WorldOptions {
  env?: Environment
  log?: Partial<LogLimits>
  compact?: Partial<CompactLimits>
}

export class World extends StoredObjects {
  readonly env: Environment
  readonly log: LogLimits
  readonly compact: CompactLimits

  constructor(options: WorldOptions = {}) {
    const env = options.env ?? memoryEnvironment({ seed: 1 })
    super(env.store)
    this.env = env
    this.log = { ...directoryLimits, ...options.log }
    this.compact = { ...defaultCompactLimits, ...options.compact }
  }

  /** A process of its own; `store` stands between it and the bucket. */
  process(name = 'p', store?: ObjectStore): Process {
    return new Process(this, name, store ? { ...this.env, store } : this.env)
  }
}

export class Process {
  readonly state: CollectionState
  readonly writer: LogWriter
  readonly collection: EngineCollection
  readonly history: History
  readonly compactor: Compactor
  readonly #world: World
  readonly #env: Environment
  readonly #name: string

  constructor(world: World, name: string, env: Environment) {
    this.#world = world
    this.#env = env
    this.#name = name
    const pool = new SegmentPool(env.store, new BlockCache(16e6))
    this.state = new CollectionState({ env, path, pool, limits: world.log, inbox: true })
    this.writer = new LogWriter(this.state, name, () => {})
    this.history = new History(env, path, name, world.compact.history)
    this.collection = new EngineCollection({
      info,
      state: this.state,
      writer: this.writer,
      history: this.history,
      boundedStalenessMs: 0,
      recordLimits: defaultRecordLimits,
      fork: () => Promise.reject(new Error('this world has no catalog')),
      forkCount: () => Promise.reject(new Error('this world has no catalog')),
    })
    this.compactor = new Compactor({ env, log: world.log, limits: world.compact, name })
  }

  fold() {
    return this.compactor.compact(path, { merge: false })
  }

  gc() {
    return collectGarbage(path, { env: this.#env, log: this.#world.log, limits: this.#world.compact, name: this.#name })
  }

  async ids(): Promise<string[]> {
    return (await this.collection.get({ include: {} })).ids
  }
}

export { forwardingStore as between } from '../ports/forwarding-store.ts'
export { remove, upsert } from './operations.ts'
