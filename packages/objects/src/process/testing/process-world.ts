/** Workers over one bucket and one store in memory. Each request of a worker waits until the test lets it go on. */
import type { Processor } from '@siltstone/processors'
import {
  type BlobStore,
  type Clock,
  type Collection,
  DEFAULT_DATABASE,
  DEFAULT_TENANT,
  type Embedder,
  isSiltstoneError,
  MemoryBlobs,
  newConfiguration,
  type ObjectStore,
  seededRandom,
  silentLogger,
  StoreEngine,
  systemIds,
} from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import type { Pipeline } from '../pipeline.ts'
import { type Collections, Reconciler } from '../reconciler.ts'
import { requeue } from '../requests.ts'
import { ProcessingRules } from '../rules.ts'
import { objectIdOf } from '../state.ts'
import { StateStore } from '../state-store.ts'
import { sweep } from '../sweep.ts'
import { linesProcessor } from './lines-processor.ts'

export const BUCKET = 'media'

const bytes = (text: string) => new TextEncoder().encode(text)

/** A clock that the test moves. */
export class TestClock implements Clock {
  now = Date.UTC(2026, 10, 1)
  nowMs = () => this.now
  monotonicMs = () => this.now
  sleep = async () => undefined
  timer = () => () => undefined
}

const pipelineOf = (processor: Processor): Pipeline => ({
  choose: async () => processor,
  versionOf: () => processor.version,
  transcribe: async (pcm) => [{ startMs: 0, endMs: 1, text: `${pcm.length} samples` }],
  close: async () => undefined,
})

const embedder: Pick<Embedder, 'embed'> = {
  embed: async (texts) => texts.map((text) => Float32Array.of(text.length, 1)),
}

type Gate = <T extends object>(inner: T) => T

/** Lets all callbacks of the event loop that are ready run. */
const turn = () => new Promise((resolve) => void setImmediate(resolve))

/** A worker whose requests wait for `step`, before they are sent and again before the answer arrives. */
export class Actor {
  readonly #reconciler: Reconciler
  readonly #waiting: { request: string; go: () => void }[] = []
  #running = 0
  #inEffect = 0
  #isKilled = false

  constructor(world: ProcessWorld, owner: string) {
    this.#reconciler = world.reconciler(owner, (inner) => this.#gated(inner))
  }

  get isIdle(): boolean {
    return this.#running === 0
  }

  /** @param message what the message says, and what is called when it is settled */
  begin(key: string, message: { deleted?: 'removed' | 'expired'; settled?: () => void } = {}): void {
    this.#running++
    void this.#work(key, message)
  }

  async #work(key: string, { deleted, settled }: Parameters<Actor['begin']>[1] & object): Promise<void> {
    try {
      const outcome = await this.#reconciler.reconcile(BUCKET, key, { ...(deleted && { deleted }) })
      if (outcome.status === 'settled') settled?.()
    } catch {
      // A worker that fails is like one that dies: its message is delivered again.
    } finally {
      this.#running--
    }
  }

  /** Lets one request that waits go on. @returns false if none waits */
  async step(choice: number): Promise<boolean> {
    if (this.#isKilled) return false
    await this.#quiet()
    const [next] = this.#waiting.splice(choice % Math.max(1, this.#waiting.length), 1)
    next?.go()
    await this.#quiet()
    return next !== undefined
  }

  /** Until such a request is about to be sent, or nothing waits. */
  async stepTo(request: string): Promise<void> {
    while (await this.step(0)) if (this.#waiting.some((one) => one.request === request)) return
  }

  /** A killed worker never goes on: a request that waits is not sent, or was and its answer does not arrive. */
  kill(): void {
    this.#isKilled = true
  }

  async finish(): Promise<void> {
    while (await this.step(0));
  }

  async #quiet(): Promise<void> {
    do await turn()
    while (this.#inEffect > 0)
    await turn()
  }

  #wait(request: string): Promise<void> {
    return new Promise((go) => void this.#waiting.push({ request, go }))
  }

  #gated<T extends object>(inner: T): T {
    return new Proxy(inner, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as unknown
        if (typeof member !== 'function') return member
        return async (...args: unknown[]) => {
          await this.#wait(String(name))
          this.#inEffect++
          const [result] = await Promise.allSettled([
            (member as (...all: unknown[]) => Promise<unknown>).apply(target, args),
          ])
          this.#inEffect--
          await this.#wait('an answer')
          if (result?.status === 'fulfilled') return result.value
          throw result?.reason
        }
      },
    })
  }
}

export class ProcessWorld {
  readonly clock = new TestClock()
  readonly random = seededRandom(7)
  readonly ids = systemIds(this.clock, this.random)
  readonly blobs = new MemoryBlobs({ clock: this.clock, ids: this.ids })
  rules = new ProcessingRules()
  readonly engine: StoreEngine
  readonly store: ObjectStore
  /** States that sweeps could not read. */
  readonly damaged: Error[] = []
  /** How often flaky lines still fail. */
  flakes = 3
  readonly #pipeline = pipelineOf(linesProcessor(() => this.flakes-- > 0))
  maxAttempts = 50

  private constructor(engine: StoreEngine, store: ObjectStore) {
    this.engine = engine
    this.store = store
  }

  static async make(): Promise<ProcessWorld> {
    const env = memoryEnvironment({ seed: 7 })
    const world = new ProcessWorld(await StoreEngine.open({ env }), env.store)
    await world.blobs.createBucket(BUCKET)
    return world
  }

  get bucket(): BlobStore {
    return this.blobs.bucket(BUCKET)
  }

  actor(name: string): Actor {
    return new Actor(this, name)
  }

  async open(name: string): Promise<Collection> {
    const { info } = await this.engine.catalog.createCollection({
      tenant: DEFAULT_TENANT,
      database: DEFAULT_DATABASE,
      name,
      getOrCreate: true,
      metadata: null,
      schema: null,
      ...newConfiguration({}),
    })
    return this.engine.collection(info.tenant, info.database, info.id)
  }

  async find(name: string): Promise<Collection | undefined> {
    try {
      const info = await this.engine.catalog.getCollection(DEFAULT_TENANT, DEFAULT_DATABASE, name)
      return await this.engine.collection(info.tenant, info.database, info.id)
    } catch (error) {
      if (isSiltstoneError(error, 'not-found')) return undefined
      throw error
    }
  }

  put(key: string, text: string) {
    return this.bucket.put(key, bytes(text))
  }

  /** Documents, with their metadata, of an object's records, sorted. */
  async recordsOf(key: string): Promise<{ document: string; version: string; run: string; own: string[] }[]> {
    const collection = await this.find(BUCKET)
    if (collection === undefined) return []
    const value = objectIdOf(BUCKET, key)
    const { documents = [], metadatas = [] } = await collection.get({
      filter: { kind: 'compare', key: 'object_id', op: 'eq', value },
      include: { documents: true, metadatas: true },
    })
    return documents
      .map((document, k) => {
        const metadata = JSON.parse(metadatas[k] ?? '{}') as Record<string, unknown>
        const own = Object.keys(metadata).filter((name) => metadata[name] === 1)
        const { object_version: version, object_run: run } = metadata
        return { document: document ?? '', version: String(version), run: String(run), own }
      })
      .sort((a, b) => (a.document < b.document ? -1 : 1))
  }

  /** Keys of the files that were made for an object; by default for all. */
  async derived(key?: string): Promise<string[]> {
    const prefix = key === undefined ? 'derived/' : `derived/${objectIdOf(BUCKET, key)}/`
    return (await this.bucket.list({ prefix })).blobs.map((blob) => blob.key)
  }

  reconciler(owner: string, gate: Gate = (inner) => inner): Reconciler {
    const collections: Collections = {
      open: async (name) => gate(await this.open(name)),
      find: async (name) => {
        const found = await this.find(name)
        return found && gate(found)
      },
      embedder: async () => embedder as Embedder,
    }
    return new Reconciler({
      blobs: (bucket) => gate(this.blobs.bucket(bucket)),
      scheme: 'siltstone',
      states: new StateStore(gate(this.store), this.ids),
      collections,
      rules: this.rules,
      pipeline: this.#pipeline,
      withScratch: (work) => work({ path: '/nonexistent', freeBytes: async () => 0 }),
      clock: this.clock,
      random: this.random,
      ids: this.ids,
      log: silentLogger,
      owner,
      maxAttempts: this.maxAttempts,
    })
  }

  replay(key: string): Promise<boolean> {
    return requeue(new StateStore(this.store, this.ids), BUCKET, key, this.clock.nowMs())
  }

  /**
   * A worker that nothing disturbs sweeps and works until nothing is left to do.
   * @param messages they are delivered in between, and taken out when they are settled
   */
  async settle(messages: { key: string; deleted: 'removed' | 'expired' }[] = []): Promise<void> {
    const reconciler = this.reconciler('last')
    for (let round = 0; round < 20; round++) {
      this.clock.now += 20 * 60_000
      const keys: string[] = []
      await sweep({
        bucket: BUCKET,
        blobs: this.bucket,
        states: new StateStore(this.store, this.ids),
        reconciler,
        found: async (key) => void keys.push(key),
        onDamaged: (error) => void this.damaged.push(error),
      })
      for (const message of messages.splice(0)) {
        const { key, deleted } = message
        if ((await reconciler.reconcile(BUCKET, key, { deleted })).status === 'wait') messages.push(message)
      }
      for (const key of keys) await reconciler.reconcile(BUCKET, key)
      if (keys.length === 0 && messages.length === 0) return
    }
    throw new Error('there is work left after 20 rounds')
  }
}
