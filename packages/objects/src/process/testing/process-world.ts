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
  unavailable,
} from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import type { Recipient } from '../hand-over.ts'
import type { Pipeline } from '../pipeline.ts'
import { type Collections, Reconciler } from '../reconciler.ts'
import { requeue } from '../requests.ts'
import { ProcessingRules } from '../rules.ts'
import { objectIdOf, type Tier, TIERS } from '../state.ts'
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

/** An object with a line `media` is for the processor of that name. */
const pipelineOf = (processor: Processor, onMedia: () => void): Pipeline => ({
  async choose(source) {
    const text = new TextDecoder().decode(await source.read(0, source.sizeBytes))
    if (!text.split('\n').includes('media')) return processor
    const process: Processor['process'] = async (...call) => {
      onMedia()
      return processor.process(...call)
    }
    return { ...processor, name: 'media', process }
  },
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

/** Calls of a reconciler, each of which ends where the object says that the time of its worker is over. */
export class LimitedWorker {
  readonly #reconciler: Reconciler
  #time = new AbortController()

  /** @param tier without one it has no limit, and hands nothing over */
  constructor(world: ProcessWorld, owner: string, tier?: Tier, gate?: Gate) {
    const endTime = () => void (tier !== undefined && tier !== 'task' && this.#time.abort(timeIsOver))
    this.#reconciler = world.reconciler(owner, gate, { endTime, ...(tier && { tier }) })
  }

  get looks(): Reconciler {
    return this.#reconciler
  }

  reconcile(key: string, deleted?: 'removed' | 'expired') {
    this.#time = new AbortController()
    const { signal } = this.#time
    return this.#reconciler.reconcile(BUCKET, key, { signal, ...(deleted && { deleted }) })
  }
}

const timeIsOver = unavailable('time-limit', 'the object says slow')

/** A worker whose requests wait for `step`, before they are sent and again before the answer arrives. */
export class Actor {
  readonly tier: Tier | undefined
  readonly #worker: LimitedWorker
  readonly #waiting: { request: string; go: () => void }[] = []
  #running = 0
  #inEffect = 0
  #isKilled = false

  constructor(world: ProcessWorld, owner: string, tier?: Tier) {
    this.tier = tier
    this.#worker = new LimitedWorker(world, owner, tier, (inner) => this.#gated(inner))
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
      const outcome = await this.#worker.reconcile(key, deleted)
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
  maxAttempts = 50
  /** What workers of other tiers were told, and nobody has delivered yet. */
  readonly orders: { tier: Tier; key: string }[] = []
  /** Whether the next worker that tells another tier is refused, and the ids of what was. */
  refusesNextOrder = false
  readonly refused: string[] = []
  /** Workers that worked on what is not theirs, or told others before the state said so. */
  readonly misplaced: string[] = []

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

  actor(name: string, tier?: Tier): Actor {
    return new Actor(this, name, tier)
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

  reconciler(
    owner: string,
    gate: Gate = (inner) => inner,
    { tier, endTime }: { tier?: Tier; endTime?: () => void } = {},
  ): Reconciler {
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
      pipeline: pipelineOf(
        linesProcessor(() => this.flakes-- > 0, endTime),
        () => void (tier === 'function' && this.misplaced.push(owner)),
      ),
      withScratch: (work) => work({ path: '/nonexistent', freeBytes: async () => 0 }),
      clock: this.clock,
      random: this.random,
      ids: this.ids,
      log: silentLogger,
      owner,
      maxAttempts: this.maxAttempts,
      ...(tier && {
        handOver: { own: tier, recipients: gate({ media: this.#recipient('media'), task: this.#recipient('task') }) },
      }),
    })
  }

  #recipient(tier: Tier): Recipient {
    return async ({ key, id }) => {
      const state = (await new StateStore(this.store, this.ids).read(BUCKET, key))?.state
      if (state?.handOver?.untilMs === 0 && id.split('-').at(-2) === String(state.run))
        this.misplaced.push(`early ${id}`)
      if (this.refusesNextOrder) {
        this.refusesNextOrder = false
        this.refused.push(id)
        throw unavailable('no-capacity', 'there is no room for another task')
      }
      this.orders.push({ tier, key })
      return tier === 'task' ? `task/${id}` : undefined
    }
  }

  replay(key: string): Promise<boolean> {
    return requeue(new StateStore(this.store, this.ids), BUCKET, key, this.clock.nowMs())
  }

  /**
   * Workers that nothing disturbs, one of each tier, sweep and work until nothing is left to do.
   * @param messages they are delivered in between, and taken out when they are settled
   */
  async settle(messages: { key: string; deleted: 'removed' | 'expired' }[] = []): Promise<void> {
    const [worker, ...others] = TIERS.map((tier) => new LimitedWorker(this, `last ${tier}`, tier))
    if (worker === undefined) throw new Error('there is no tier')
    for (let round = 0; round < 20; round++) {
      this.clock.now += 20 * 60_000
      const keys: string[] = []
      await sweep({
        bucket: BUCKET,
        blobs: this.bucket,
        states: new StateStore(this.store, this.ids),
        reconciler: worker.looks,
        found: async (key) => void keys.push(key),
        onDamaged: (error) => void this.damaged.push(error),
      })
      for (const message of messages.splice(0)) {
        const { key, deleted } = message
        if ((await worker.reconcile(key, deleted)).status === 'wait') messages.push(message)
      }
      for (const key of keys) await worker.reconcile(key)
      let delivered = 0
      for (let order = this.orders.shift(); order !== undefined; order = this.orders.shift(), delivered++)
        await others[TIERS.indexOf(order.tier) - 1]?.reconcile(order.key)
      if (keys.length + messages.length + delivered === 0) return
    }
    throw new Error('there is work left after 20 rounds')
  }
}
