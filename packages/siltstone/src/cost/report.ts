/** Reports a month's cost, unit costs, and a comparison with an earlier system. */
import { type Bill, billOf, type BillOptions } from './bill.ts'
import { type Derived, estimate } from './estimate.ts'
import { PRICE_DATE, PRICE_REGION } from './prices.ts'
import { type Assumptions, DEFAULT_WORKLOAD, type Workload } from './workload.ts'

/** Null where the month has no such operation. */
export interface UnitCosts {
  usdPer1000Queries: number | null
  usdPer1000ColdQueries: number | null
  usdPer1000WarmQueries: number | null
  usdPerMillionWrites: number | null
  /** Of objects and recordings that become searchable: one with the other. */
  usdPer1000Objects: number | null
  usdPerGbKept: number | null
}

export interface Comparison {
  what: string
  usd: string
  source: string
}

/** The plan for an earlier system with the same purpose, and what that system cost. */
export const OTHERS: readonly Comparison[] = [
  {
    what: 'planned, per month',
    usd: '$16–32',
    source: 'ChromaDB Compaction Infrastructure Implementation Plan, 2025-08',
  },
  { what: 'the same pipeline in operation, per month', usd: '$130–150', source: 'its repository, 2025-12' },
  {
    what: '10,000 updates in operation: whole snapshots, 10 messages at a time, about 7 hours',
    usd: '$3.64',
    source: 'its repository, 2025-12',
  },
  { what: '10,000 updates by its best plan, 500 at a time', usd: '$0.21', source: 'its repository, 2025-12' },
]

export interface CostReport {
  priceDate: string
  region: string
  freeTier: boolean
  bill: Bill
  unitCosts: UnitCosts
  /** The cost of 10,000 additional updates of this workload's collection within one hour. */
  tenThousandUpdates: { oneByOne: number; batchesOf500: number }
  others: readonly Comparison[]
}

/** @throws SiltstoneError `invalid` (bad-workload) */
export function reportOf(
  workload: Workload,
  options: BillOptions & { assumptions?: Partial<Assumptions> } = {},
): CostReport & { workload: Workload; derived: Derived } {
  const { quantities, derived } = estimate(workload, options.assumptions)
  const bill = billOf(quantities, options)
  return {
    workload,
    derived,
    ...common(options),
    bill,
    unitCosts: unitCosts(bill, {
      ...workload,
      objects: workload.objects + workload.recordings,
      storedBytes: derived.storedBytes,
    }),
    tenThousandUpdates: updates(workload, options),
  }
}

export function common({
  freeTier = false,
}: BillOptions): Pick<CostReport, 'priceDate' | 'region' | 'freeTier' | 'others'> {
  return { priceDate: PRICE_DATE, region: PRICE_REGION, freeTier, others: OTHERS }
}

export function unitCosts(
  { activities }: Bill,
  counted: { coldQueries: number; warmQueries: number; writes: number; objects: number; storedBytes: number },
): UnitCosts {
  const { coldQueries, warmQueries, writes, objects, storedBytes } = counted
  const unitCost = (usd: number, count: number, unit: number) => (count > 0 ? (usd / count) * unit : null)
  const [cold, warm] = [activities['cold queries'], activities['warm queries']]
  return {
    usdPer1000Queries: unitCost(cold + warm, coldQueries + warmQueries, 1_000),
    usdPer1000ColdQueries: unitCost(cold, coldQueries, 1_000),
    usdPer1000WarmQueries: unitCost(warm, warmQueries, 1_000),
    usdPerMillionWrites: unitCost(activities.writes, writes, 1_000_000),
    usdPer1000Objects: unitCost(activities.objects, objects, 1_000),
    usdPerGbKept: unitCost(activities.storage, storedBytes / 1e9, 1),
  }
}

/** Marginal cost: without storage, fixed costs and the free tier. */
function updates(
  workload: Workload,
  { prices, assumptions }: BillOptions & { assumptions?: Partial<Assumptions> },
): CostReport['tenThousandUpdates'] {
  const of = (writeBatch: number): number => {
    const { quantities } = estimate(
      { ...DEFAULT_WORKLOAD, ...workload, writes: 10_000, writeBatch, writeHours: 1, coldQueries: 0, warmQueries: 0 },
      { ...assumptions, updateShare: 1 },
    )
    return billOf(quantities, prices === undefined ? {} : { prices }).activities.writes
  }
  return { oneByOne: of(1), batchesOf500: of(500) }
}
