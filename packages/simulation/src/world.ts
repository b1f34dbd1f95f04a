/** One simulated world: services, the truth about them, and what its actors share. */
import { type CollectionInfo, isSiltstoneError, pathOf, StoreEngine } from 'siltstone/internal'
import { Bucket } from './bucket.ts'
import { Chance } from './chance.ts'
import { Crashed, EPOCH_MS, Incarnation } from './incarnation.ts'
import { Marks } from './marks.ts'
import { Network, noFaults, type Refusal } from './network.ts'
import { LATE_INBOX_MS, type Plan } from './plan.ts'
import { Scheduler } from './scheduler.ts'
import { environmentOf, LeaseService, QueueService, type Services } from './sim-services.ts'
import { Trace } from './trace.ts'
import type { CollectionTruth } from './collection-truth.ts'
import { Truth } from './truth.ts'
import { Violation } from './violation.ts'

export const TENANT = 'default_tenant'
export const DATABASE = 'default_database'

/** A collection that clients know of. */
export interface Target {
  info: CollectionInfo
  path: string
  /** Its deletion was requested, so "not found" is a correct answer. */
  deleting: boolean
}

export class World {
  readonly seed: number
  readonly plan: Plan
  readonly chance: Chance
  readonly scheduler = new Scheduler()
  readonly marks = new Marks()
  readonly trace: Trace
  readonly bucket: Bucket
  readonly network: Network
  readonly truth: Truth
  readonly services: Services
  readonly targets: Target[] = []
  /** By name: deletions that are under way, or ended without an answer, and may reach a collection that gets the name later. */
  readonly #deletions = new Map<string, number>()
  violation: Violation | undefined
  /** Operations that clients began and that were not answered yet. */
  open = 0
  /** Writes that must exist at the end, and the entry of each. */
  readonly acknowledged = new Map<string, number>()
  /** Writes that must not exist, and the reason. */
  readonly never = new Map<string, string>()
  /** Acknowledged collections in databases that may be deleted. */
  readonly kept: { id: string; database: string }[] = []
  /** Keys of acknowledged inbox deltas. */
  readonly produced = new Map<string, string>()
  #lives = 0
  #names = 0

  private constructor(seed: number, plan: Plan, basis: Basis, keepTrace: boolean) {
    this.seed = seed
    this.plan = plan
    this.chance = new Chance(seed)
    this.trace = new Trace(keepTrace)
    const { scheduler, marks, trace } = this
    const report = (violation: Violation) => this.report(violation)
    this.bucket = new Bucket(() => EPOCH_MS + scheduler.nowMs, basis.bucket)
    this.network = new Network({
      scheduler,
      bucket: this.bucket,
      chance: this.chance.split(plan.salt === 0 ? 'network' : `network ${plan.salt}`),
      trace,
      marks,
      faults: plan.faults,
      stallMs: plan.stallMs,
      lateMs: plan.lateMs,
      lateInboxMs: LATE_INBOX_MS,
      refusals: plan.refusals,
      report,
    })
    this.network.onError = (process, event, fields) => this.#judgeLog(process, event, fields ?? {})
    this.truth = new Truth({
      bucket: this.bucket,
      marks,
      nowMs: () => scheduler.nowMs,
      limits: plan.log,
      keep: {
        entryMs: plan.log.entryRetentionMs - plan.skewMs,
        inboxMs: plan.log.inboxRetentionMs - 2 * plan.skewMs,
        snapshotMs: plan.compact.graceMs - plan.skewMs,
      },
      stepBytes: plan.compact.stepBytes,
      report,
    })
    this.bucket.observer = this.truth
    this.services = {
      network: this.network,
      queue: new QueueService(this.network),
      leases: new LeaseService(this.network, plan.withoutLease === 1, plan.skewMs === 0),
      store: { atomicListPages: plan.atomicListPages === 1, pageKeys: plan.pageKeys, isLocal: plan.local === 1 },
    }
    this.add(basis.info)
  }

  static async create(seed: number, plan: Plan, keepTrace = false): Promise<World> {
    return new World(seed, plan, await (basis ??= makeBasis(plan)), keepTrace)
  }

  add(info: CollectionInfo): Target {
    const known = this.targets.find((target) => target.info.id === info.id)
    if (known) return known
    const deleting = (this.#deletions.get(info.name) ?? 0) > 0
    const target: Target = { info, path: pathOf(info), deleting }
    this.targets.push(target)
    return target
  }

  /** Deletes by name. */
  async deleting(name: string, work: () => Promise<void>): Promise<void> {
    for (const target of this.targets) if (target.info.name === name) target.deleting = true
    this.#deletions.set(name, (this.#deletions.get(name) ?? 0) + 1)
    await work()
    this.#deletions.set(name, (this.#deletions.get(name) ?? 0) - 1)
  }

  /** Whether the log of a collection is closed. */
  isDeleted(id: string): boolean {
    return [...this.truth.collections.values()].some(({ path, closed }) => closed && path.endsWith(id))
  }

  truthOf(target: Target): CollectionTruth {
    return this.truth.of(target.path)
  }

  report(violation: Violation): void {
    this.violation ??= violation
    // Without the message, which may contain a stack.
    this.trace.add(this.scheduler.nowMs, 'VIOLATION', violation.promise, '', '')
  }

  fail(promise: string, message: string): void {
    this.report(new Violation(promise, message))
  }

  /** Starts a process. */
  boot(name: string): Incarnation {
    const { skewMs } = this.plan
    const chance = this.chance.split(`${name} ${this.#lives}`)
    const process = new Incarnation(`${name}#${this.#lives++}`, this.scheduler, chance.between(-skewMs, skewMs))
    if (skewMs > 0 && chance.one(0.5)) {
      const step = () => {
        this.marks.hit('wall clock stepped')
        process.skewMs = chance.between(-skewMs, skewMs)
      }
      process.at(this.scheduler.nowMs + chance.between(100, 60_000), step)
    }
    return process
  }

  environment(process: Incarnation) {
    return environmentOf(this.services, process, this.seed)
  }

  async openEngine(process: Incarnation): Promise<StoreEngine> {
    const { log, compact } = this.plan
    return StoreEngine.open({
      env: this.environment(process),
      log,
      compact,
      blockCacheBytes: 1 << 20,
      boundedStalenessMs: BOUNDED_MS,
    })
  }

  /** The number of a new, unique name or marker. */
  next(): number {
    return ++this.#names
  }

  /**
   * Fails the history unless the promises allow this error.
   * @param damaged the number of damaged bodies when the operation began
   */
  judge(error: unknown, what: string, damaged: number, mayBeMissing: boolean): void {
    if (error instanceof Crashed || isSiltstoneError(error, 'unavailable') || isSiltstoneError(error, 'unknown')) return
    if (isSiltstoneError(error, 'conflict')) return
    if (isSiltstoneError(error, 'not-found') && mayBeMissing) return
    // Callers that share a read share its failure, so the damage may be a little older than the call.
    const sinceDamageMs = this.scheduler.nowMs - this.network.lastDamageMs
    if (isSiltstoneError(error, 'corrupt') && (this.network.damaged > damaged || sinceDamageMs < SHARED_MS)) {
      this.marks.hit('damage was noticed')
      return
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.fail('errors', `${what}: ${text}`)
  }

  #judgeLog(process: Incarnation, event: string, fields: Readonly<Record<string, unknown>>): void {
    // What an invocation says that its host ended too early.
    if (event === 'compaction_without_progress' || event === 'merge_cannot_fit') return
    const code = typeof fields['code'] === 'string' ? fields['code'] : ''
    const { damaged } = this.network
    if (DAMAGE_EVENTS.has(event) && code !== 'count-mismatch' && damaged > 0) return
    if (REFUSALS.has(code) && this.plan.refusals.length > 0) return
    if (
      [
        'injected',
        'throttled',
        'lease-lost',
        'outcome-unknown',
        'commit-unknown',
        'too-many-writers',
        'reads-too-slow',
      ].includes(code)
    )
      return
    if (
      /injected|request failed|timed out|answer was lost|slow down|closing|was taken over|does not exist\.$/.test(
        String(fields['error']),
      )
    )
      return
    this.fail('errors', `${process.name} logged ${event}: ${JSON.stringify(fields)}`)
  }
}

/** What background work logs of damage. */
const DAMAGE_EVENTS = new Set(['compaction_failed', 'merge_failed', 'gc_failed', 'schedule_failed'])
const REFUSALS = new Set<string>(['disk-full', 'access-denied'] satisfies Refusal['code'][])

export const BOUNDED_MS = 2_000
/** Longer than any shared read. */
const SHARED_MS = 30_000

interface Basis {
  bucket: Bucket
  info: CollectionInfo
}

let basis: Promise<Basis> | undefined

/** A store with one empty collection, created once: each history begins with a copy of it. */
async function makeBasis(plan: Plan): Promise<Basis> {
  const scheduler = new Scheduler()
  const bucket = new Bucket(() => EPOCH_MS)
  const chance = new Chance(1)
  const trace = new Trace(false)
  const marks = new Marks()
  const report = (violation: Violation) => {
    throw violation
  }
  const options = {
    scheduler,
    bucket,
    chance,
    trace,
    marks,
    faults: noFaults,
    stallMs: 0,
    lateMs: 0,
    lateInboxMs: 0,
    refusals: [],
  }
  const network = new Network({ ...options, report })
  network.calmDown()
  const process = new Incarnation('basis', scheduler, 0)
  const services: Services = {
    network,
    queue: new QueueService(network),
    leases: new LeaseService(network, false, true),
    store: { atomicListPages: true, pageKeys: 1_000, isLocal: false },
  }
  const work = async () => {
    const env = environmentOf(services, process, 1)
    const engine = await StoreEngine.open({ env, log: plan.log, compact: plan.compact })
    const { info } = await engine.catalog.createCollection({ ...newCollection, name: 'things' })
    return info
  }
  return { info: await scheduler.until(work()), bucket }
}

export const newCollection = {
  tenant: TENANT,
  database: DATABASE,
  getOrCreate: false,
  space: 'l2' as const,
  metadata: null,
  configuration: {},
  schema: null,
}
