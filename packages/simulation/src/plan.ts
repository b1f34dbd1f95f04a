/**
 * The plan of one history, drawn from its seed: actors, limits, faults. Each number can be overridden, which is how a
 * failing history is made smaller.
 */
import { bucketLimits, type CompactLimits, defaultCompactLimits, type LogLimits } from 'siltstone/internal'
import { Chance } from './chance.ts'
import { type Faults, noFaults, type Refusal } from './network.ts'

export interface Plan {
  /** A history with more events counts as one that never comes to rest. */
  maxEvents: number
  /** Changes all random decisions of the network. */
  salt: number
  servers: number
  /** Clients, each of which uses one server after another. */
  sessions: number
  operations: number
  producers: number
  deltas: number
  compactors: number
  /** Compactors whose invocations end at a deadline, and which obey a bound of the size of a merge. */
  invocations: number
  collectors: number
  /** Servers that compact in the background, woken by the queue. */
  background: number
  /** Operators that force leases. */
  operators: number
  /** Clients that fork and delete collections, and create new ones under used names. */
  lifecycles: number
  /** Clients that create and delete collections under the same few names. */
  rivals: number
  /** Clients that rename a collection of their own to these names. */
  renamers: number
  /** Clients that create, fill and delete databases under the same few names. */
  keepers: number
  /** Operators who bring deleted objects back. */
  restorers: number
  /** 1 if servers start as on a bucket: with a probe of its conditions, waiting while it cannot be reached. */
  probing: 0 | 1
  /** Objects of the catalog that are damaged or lost at rest, one after another. */
  damages: number
  /** Writers of another implementation, which mention deltas a second time. */
  repeaters: number
  withoutLease: 0 | 1
  /** The most by which wall clocks differ from true time, before and after steps. */
  skewMs: number
  /** 1 if one page of a listing shows one point in time. */
  atomicListPages: 0 | 1
  pageKeys: number
  /** 1 if reading costs little, as on a directory: listings are not made ahead, and vectors are left in the log. */
  local: 0 | 1
  stallMs: number
  lateMs: number
  ids: number
  /** At least 8 for collections with an index. */
  dimension: number
  faults: Faults
  refusals: Refusal[]
  log: LogLimits
  compact: CompactLimits
}

/** Retention must be longer than staleness, the lateness of bare producers and the differences of clocks: see docs/explanation/reliability.md. */
export const RETRY_PRODUCE_MS = 8_000
export const LATE_INBOX_MS = 10_000

const SECOND = 1_000

export function drawPlan(seed: number, overrides: Partial<PlanNumbers> = {}): Plan {
  const chance = new Chance(seed).split('plan')
  const some = (p: number, value: () => number) => {
    const drawn = value()
    return chance.one(p) ? drawn : 0
  }
  const rate = (p: number, most: number) => some(p, () => chance.next() * most)
  const faults: Faults = {
    before: rate(0.7, 0.08),
    after: rate(0.7, 0.08),
    late: rate(0.6, 0.05),
    duplicate: rate(0.5, 0.05),
    throttle: rate(0.3, 0.05),
    damage: rate(0.2, 0.01),
    crash: rate(0.6, 0.012),
    stall: rate(0.6, 0.012),
    stallAtCommit: 0,
    slow: rate(0.7, 0.4),
  }
  const plan: Plan = {
    salt: 0,
    maxEvents: 150_000,
    servers: chance.between(1, 3),
    sessions: chance.between(1, 4),
    operations: chance.between(3, 14),
    producers: chance.between(0, 2),
    deltas: chance.between(1, 5),
    compactors: chance.between(0, 2),
    invocations: 0,
    collectors: some(0.7, () => chance.between(1, 2)),
    background: some(0.3, () => 1),
    operators: some(0.2, () => 1),
    lifecycles: some(0.25, () => 1),
    rivals: 0,
    renamers: 0,
    keepers: 0,
    restorers: 0,
    probing: 0,
    damages: 0,
    repeaters: 0,
    withoutLease: chance.one(0.3) ? 1 : 0,
    skewMs: some(0.6, () => chance.between(0, 4 * SECOND)),
    atomicListPages: chance.one(0.6) ? 1 : 0,
    pageKeys: chance.one(0.25) ? chance.between(1, 4) : 1_000,
    local: 0,
    stallMs: chance.between(20, 300) * SECOND,
    lateMs: chance.between(5, 200) * SECOND,
    ids: chance.between(2, 7),
    dimension: 2,
    faults,
    refusals: [],
    log: {
      ...bucketLimits,
      writerStalenessMs: 8 * SECOND,
      readSpanMs: 20 * SECOND,
      entryRetentionMs: 45 * SECOND,
      inboxRetentionMs: 40 * SECOND,
      foldedRecordExtraMs: chance.one(0.3) ? 0 : 40 * SECOND,
      foldedRecordLimit: chance.one(0.2) ? 3 : 4_096,
      sequencedDeltas: chance.one(0.3) ? chance.between(1, 2) : 1_000,
      deltaBytes: 16_384,
      groupBytes: chance.one(0.2) ? 100 : 1_000_000,
      unfoldedObjects: chance.one(0.2) ? chance.between(4, 12) : 2_000,
      settleMs: chance.between(1, 8) * SECOND,
    },
    compact: {
      ...defaultCompactLimits,
      foldBytes: chance.one(0.3) ? 4_000 : 64_000_000,
      fanIn: chance.between(2, 3),
      overlays: chance.between(0, 2),
      leaseTtlMs: chance.between(2, 6) * SECOND,
      history: {
        everyCommitMs: chance.between(0, 20) * SECOND,
        hourlyMs: 0,
        newest: chance.between(1, 4),
      },
      graceMs: 25 * SECOND,
      gcEveryMs: 30 * SECOND,
      forkWithinMs: 20 * SECOND,
    },
  }
  const stalls = chance.split('stalls')
  if (stalls.one(0.3)) faults.stallAtCommit = stalls.next() * 0.25
  // Drawn from separate streams: later additions must not change the plans of older seeds.
  const index = chance.split('index')
  if (index.one(0.4)) {
    plan.dimension = 8
    plan.compact.indexRows = index.between(1, 6)
  }
  // With a collector, a delta could be forgotten while the entry of such a writer is on its way: see docs/explanation/reliability.md.
  plan.repeaters = plan.collectors === 0 && chance.split('repeaters').one(0.4) ? 1 : 0
  const invocations = chance.split('invocations')
  if (invocations.one(0.2)) {
    plan.invocations = invocations.between(1, 2)
    plan.compact.stepBytes = invocations.between(3_000, 12_000)
    // Overlays are joined only where segments are rarely merged and never purged.
    if (invocations.one(0.4)) {
      plan.ids = 7
      Object.assign(plan.compact, { deletedShare: 2, fanIn: 8, overlays: 0, stepBytes: defaultCompactLimits.stepBytes })
    }
    plan.compact.pace = {
      fixedMs: invocations.between(50, 2_000),
      bytesPerSecond: 1e5,
      rowsPerSecond: 1e5,
      multiplicationsPerSecond: 1e12,
    }
  }
  const taking = chance.split('taking')
  if (taking.one(0.4)) plan.log.inlineDeltaBytes = taking.one(0.5) ? 0 : 1_500
  if (taking.one(0.2)) plan.log.inlineBytes = 3_000
  const rivals = chance.split('rivals')
  if (rivals.one(0.1)) plan.rivals = rivals.between(2, 3)
  const renamers = chance.split('renamers')
  if (renamers.one(plan.rivals > 0 ? 0.5 : 0.05)) plan.renamers = renamers.between(1, 2)
  const keepers = chance.split('keepers')
  if (keepers.one(0.08)) plan.keepers = keepers.between(1, 3)
  const mergers = chance.split('mergers')
  if (mergers.one(0.15)) {
    // Small steps in several tiers, so that several merges are due at a time.
    plan.compactors = mergers.between(2, 3)
    plan.ids = 7
    plan.operations = mergers.between(8, 20)
    plan.faults.slow = Math.max(plan.faults.slow, mergers.next() * 0.5)
    Object.assign(plan.compact, {
      fanIn: 2,
      tierBaseBytes: mergers.between(500, 3_000),
      stepBytes: mergers.between(4_000, 12_000),
      deletedShare: mergers.next() * 0.3,
    })
  }
  const folders = chance.split('folders')
  if (folders.one(0.12)) {
    // A log of many small folds, written faster than one process folds it.
    plan.compactors = folders.between(2, 3)
    plan.compact.foldBytes = folders.between(1_500, 4_500)
    plan.operations = Math.max(plan.operations, folders.between(8, 20))
    plan.faults.slow = Math.max(plan.faults.slow, folders.next() * 0.5)
    // Without the memory for the entries before its own, or with too little, a process folds alone or as the first.
    const ahead = chance.split('ahead')
    if (ahead.one(0.3)) plan.compact.aheadBytes = ahead.one(0.5) ? 0 : ahead.between(500, 6_000)
  }
  plan.refusals = drawRefusals(chance.split('refusals'))
  const restorers = chance.split('restorers')
  if (plan.collectors > 0 && restorers.one(0.12)) plan.restorers = 1
  plan.probing = chance.split('probing').one(0.15) ? 1 : 0
  const damages = chance.split('damages')
  if (damages.one(0.15)) plan.damages = damages.between(1, 3)
  const local = chance.split('local')
  if (local.one(0.15)) {
    plan.local = 1
    // A vector has 8 or 32 bytes.
    plan.log.keptVectorBytes = local.one(0.6) ? 0 : local.between(1, 100)
    plan.compact.heldVectorBytes = local.one(0.6) ? 0 : local.between(1, 100)
  }
  const { refusals, ...numbers } = overrides
  if (refusals !== undefined) plan.refusals = someRefusals(chance.split('given refusals'), refusals)
  const changed = overrule(plan, numbers)
  if (changed.collectors > 0 && numbers['repeaters'] === undefined) changed.repeaters = 0
  return changed
}

function drawRefusals(chance: Chance): Refusal[] {
  return chance.one(0.15) ? someRefusals(chance, chance.between(1, 3)) : []
}

function someRefusals(chance: Chance, count: number): Refusal[] {
  return Array.from({ length: count }, (): Refusal => {
    const fromMs = chance.between(0, 20 * SECOND)
    return {
      code: chance.one(0.5) ? 'disk-full' : 'access-denied',
      fromMs,
      untilMs: fromMs + chance.between(200, 30 * SECOND),
      of: chance.pick(['', '', 'server', 'producer', 'compactor', 'collector']),
    }
  })
}

/** Names of the numbers that may be overridden, with `faults.` before those of the faults; `refusals` is how many there are. */
export type PlanNumbers = Record<string, number>

export const SHRINKABLE: readonly (keyof Plan)[] = [
  'lifecycles',
  'rivals',
  'renamers',
  'keepers',
  'restorers',
  'probing',
  'damages',
  'repeaters',
  'operators',
  'background',
  'collectors',
  'invocations',
  'compactors',
  'producers',
  'sessions',
  'servers',
  'operations',
  'deltas',
  'ids',
  'skewMs',
]

export const FAULTS = Object.keys(noFaults) as (keyof Faults)[]

function overrule(plan: Plan, overrides: Partial<PlanNumbers>): Plan {
  const changed = structuredClone(plan) as unknown as Record<string, unknown>
  for (const [name, value] of Object.entries(overrides)) {
    const parts = name.split('.')
    const last = parts.pop() as string
    const target = parts.reduce((at, part) => at[part] as Record<string, unknown>, changed)
    if (!(last in target)) throw new Error(`a plan has no number ${JSON.stringify(name)}`)
    target[last] = value
  }
  return changed as unknown as Plan
}
