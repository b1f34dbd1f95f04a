/** A collection without a catalog: for tests of the log, of compaction and of collection. */
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
import type { RecordOp } from '../model/record.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'

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

export class World {
  readonly env: Environment
  readonly log: LogLimits
  readonly compact: CompactLimits

  constructor(options: WorldOptions = {}) {
    this.env = options.env ?? memoryEnvironment({ seed: 1 })
    this.log = { ...directoryLimits, ...options.log }
    this.compact = { ...defaultCompactLimits, ...options.compact }
  }

  /** What one process knows and does; `store` puts something between it and the bucket. */
  process(name = 'p', store?: ObjectStore): Process {
    return new Process(this, name, store ? { ...this.env, store } : this.env)
  }

  async keys(prefix = ''): Promise<string[]> {
    return (await this.env.store.list(prefix)).objects.map(({ key }) => key)
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
      fork: () => Promise.reject(new Error('this world has no catalog')),
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

export function upsert(id: string, vector: number[], rest: Partial<RecordOp> = {}): RecordOp {
  return { op: 'upsert', id, vector: Float32Array.from(vector), document: null, metadata: null, uri: null, ...rest }
}

export function remove(id: string): RecordOp {
  return { op: 'delete', id, vector: null, document: null, metadata: null, uri: null }
}

/** Passes everything on; a test replaces the methods that it wants to disturb. */
export function between(store: ObjectStore, changes: Partial<ObjectStore>): ObjectStore {
  const target: ObjectStore = {
    description: store.description,
    capabilities: store.capabilities,
    get: (key, options) => store.get(key, options),
    head: (key) => store.head(key),
    put: (key, body, options) => store.put(key, body, options),
    upload: (key, options) => store.upload(key, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (keys) => store.delete(keys),
    close: () => store.close(),
  }
  return { ...target, ...changes }
}
