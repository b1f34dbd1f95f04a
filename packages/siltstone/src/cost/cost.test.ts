import { describe, expect, it } from 'vitest'
import { billOf } from './bill.ts'
import { estimate } from './estimate.ts'
import { PRICES } from './prices.ts'
import { reportOf } from './report.ts'
import { ASSUMPTIONS, DEFAULT_WORKLOAD, type Workload } from './workload.ts'

const nothing: Workload = {
  ...DEFAULT_WORKLOAD,
  records: 0,
  writes: 0,
  coldQueries: 0,
  warmQueries: 0,
  monitoring: false,
  compute: 'own',
}
const quantitiesOf = (changes: Partial<Workload>, assumptions = {}) =>
  Object.fromEntries(
    estimate({ ...nothing, ...changes }, assumptions).quantities.map(({ item, activity, quantity }) => [
      `${activity}/${item}`,
      quantity,
    ]),
  )

describe('a workload’s quantities, by hand', () => {
  it('nothing uses nothing', () => {
    expect(estimate(nothing).quantities).toEqual([])
    expect(reportOf(nothing).bill.totalUsd).toBe(0)
  })

  it('kept records: vectors, index, text and metadata', () => {
    // 1,000,000 × (384 × 4 B × 1.076 + 500 B + 200 B) = 2.352736 GB
    expect(quantitiesOf({ records: 1_000_000 })).toEqual({ 'storage/s3StorageGbMonth': expect.closeTo(2.352736, 9) })
  })

  it('warm queries: one list, one conditional get; 20 ms of 1,769 MB each', () => {
    expect(quantitiesOf({ warmQueries: 1_000_000, answerBytes: 2_000 })).toEqual({
      'warm queries/s3Put': 1_000_000,
      'warm queries/s3Get': 1_000_000,
      'warm queries/dataOutGb': 2,
    })
    const lambda = quantitiesOf({ warmQueries: 1_000_000, compute: 'lambda' })
    expect(lambda['warm queries/lambdaInvocation']).toBe(1_000_000)
    // 1,000,000 × 0.02 s × 1,769 / 1,024 GB
    expect(lambda['warm queries/lambdaGbSecond']).toBeCloseTo(34_550.78, 2)
  })

  it('writes through a server: entries, folds, merges, garbage collections', () => {
    // 10,000 records in batches of 100: 100 entries. In 1 hour at most 3,600 / (1.5 + 5) = 553.8 folds: 100.
    // 33 merges; 1 look (1 hour / 3). PUT class: 100×2 + 100×9 + 33×8 + 1×7; GET class: 100×19 + 100×1.6 + 33×104 + 24.
    const used = quantitiesOf({ writes: 10_000, writeBatch: 100, writeHours: 1 })
    expect(used['writes/s3Put']).toBe(200 + 700 + 264 + 7)
    expect(used['writes/s3Get']).toBeCloseTo(1_900 + 160 + 3_432 + 24, 6)
    expect(used).not.toHaveProperty('writes/lambdaGbSecond')
  })

  it('never folds more often than the compactor can', () => {
    // 100,000 entries in 1 hour: ceil(553.8) folds.
    const { derived } = estimate({ ...nothing, writes: 100_000, writeBatch: 1, writeHours: 1 })
    expect([derived.entries, derived.folds, derived.merges]).toEqual([100_000, 554, 184])
  })

  it('bare producers: one PUT each, sequenced by the fold’s entry', () => {
    const used = quantitiesOf({ writes: 1_000, writeBatch: 10, writeHours: 1, writePath: 'producer' })
    // 100 deltas, 100 folds, each with an entry of its own; 33 merges; 1 look.
    expect(used['writes/s3Put']).toBe(100 + 700 + 200 + 264 + 7)
    expect(used['writes/s3Get']).toBeCloseTo(1_900 + 100 + 3_432 + 24, 6)
  })

  it('functions: messages, leases, the compactor’s time', () => {
    const used = quantitiesOf(
      { records: 0, writes: 1_000, writeBatch: 10, writeHours: 1, compute: 'lambda' },
      { foldSeconds: 2, mergeSeconds: 3, collectSeconds: 1, compactionBytesPerSecond: 1e15, collectEveryHours: 1 },
    )
    // 100 entries and 2 × 100 queue requests for the folds; 2 changes of leases for each fold, 5 for each merge, 7 for the look,
    // and one each 10 s of (100 × 2 + 33 × 3 + 1 × 1) s.
    expect(used['writes/sqsRequest']).toBe(100 + 200)
    expect(used['writes/dynamoWrite']).toBe(2 * 100 + 5 * 33 + 7 + 30)
    // Compactor: (100 × 2 + 33 × 3 + 1 × 1) s × 3,008 / 1,024 GB; writer: 100 × 0.15 s × 1,769 / 1,024 GB
    expect(used['writes/lambdaGbSecond']).toBeCloseTo((300 * 3_008) / 1_024 + (15 * 1_769) / 1_024, 3)
    expect(used['writes/lambdaDiskGbSecond']).toBeCloseTo((300 * (10_240 - 512)) / 1_024, 3)
    // Every 15 minutes: 730 × 4 runs.
    expect(used['fixed/lambdaInvocation']).toBe(2_920)
    expect(used['fixed/sqsRequest']).toBe(657_000)
  })

  it('folds of a log that arrives faster than it is folded are claimed', () => {
    // 1,024,000 × 64 KiB in 0.1 hours: 1,000 folds of 64 MiB, where time is for ceil(360 / 6.5) = 56; 18 merges; 1 look.
    const workload = { dimension: 0, documentBytes: 65_536, metadataBytes: 0, writes: 1_024_000, writeBatch: 1_000 }
    const assumptions = { foldSeconds: 1.5, mergeSeconds: 3, collectSeconds: 1, compactionBytesPerSecond: 1e18 }
    const used = quantitiesOf({ ...workload, writeHours: 0.1, compute: 'lambda' }, assumptions)
    const seconds = 56 * 1.5 + 18 * 3 + 1
    expect(used['writes/dynamoWrite']).toBe(2 * 56 + 5 * 18 + 7 + 6 * 1_000 + Math.floor(seconds / 10))
  })

  it('compaction rewrites a record once per tier, and neighbours of replaced rows', () => {
    // Folds of 2,000,000 B, live 64 × 4 MiB: one merge in the lowest tier, three above; half of the writes replace.
    const records = (64 * 4 * 1024 * 1024) / 1_000
    const { derived } = estimate(
      { ...nothing, records, dimension: 0, documentBytes: 1_000, metadataBytes: 0, writes: 2_000, writeBatch: 2_000 },
      { updateShare: 0.5, deletedShare: 0.25 },
    )
    expect(derived.recordBytes).toBe(1_000)
    expect(derived.compactedBytes).toBeCloseTo(2_000_000 * (1 + 4) + (1_000 * 1_000) / 0.25, 0)
    expect(derived.writeAmplification).toBeCloseTo(7, 6)
    // Live, two weeks of what compaction wrote (history, noncurrent versions), eight days of the log.
    const days = 730 / 24
    expect(derived.storedBytes).toBeCloseTo(records * 1_000 + (14_000_000 * 14) / days + (2_000_000 * 8) / days, 0)
  })

  it('prices the history that the bucket keeps: 10 M × 768 with 10 M writes', () => {
    const month = { ...DEFAULT_WORKLOAD, records: 1e7, dimension: 768, writes: 1e7, writeBatch: 500 }
    const stored = (changes = {}) => estimate(month, changes).derived.storedBytes / 1e9
    // As the stack deletes by default; with the history of segments kept as long as everything else; and without any.
    expect(stored()).toBeCloseTo(247.2, 1)
    expect(stored({ segmentHistoryDays: 90 })).toBeCloseTo(1_413.1, 1)
    expect(stored({ segmentHistoryDays: 0, deltaHistoryDays: 0 })).toBeCloseTo(139.7, 1)
  })

  it('refuses invalid workloads', () => {
    expect(() => estimate({ ...nothing, records: -1 })).toThrow(/records is -1/)
    expect(() => estimate({ ...nothing, writes: 1, writeBatch: 0 })).toThrow(/writeBatch/)
    expect(() => estimate({ ...nothing, writes: 1, writeHours: 800 })).toThrow(/730 hours/)
  })
})

describe('a bill, by hand', () => {
  const quantities = [
    { item: 's3Put', activity: 'writes', quantity: 200_000 },
    { item: 's3Get', activity: 'warm queries', quantity: 5_000_000 },
    { item: 's3StorageGbMonth', activity: 'storage', quantity: 10 },
    { item: 'lambdaGbSecond', activity: 'writes', quantity: 300_000 },
    { item: 'lambdaGbSecond', activity: 'warm queries', quantity: 300_000 },
    { item: 'dynamoWrite', activity: 'writes', quantity: 1_000_000 },
  ] as const

  it('is quantity times price', () => {
    const bill = billOf(quantities)
    // PUT 200 × $0.005 = $1; GET 5,000 × $0.0004 = $2; 10 GB × $0.023 = $0.23; 600,000 × $0.0000133334 = $8.00004; $0.625
    expect(bill.services['S3']).toBeCloseTo(3.23, 9)
    expect(bill.services['Lambda']).toBeCloseTo(8.00004, 9)
    expect(bill.services['DynamoDB']).toBeCloseTo(0.625, 9)
    expect(bill.totalUsd).toBeCloseTo(11.85504, 9)
    expect(bill.activities.writes).toBeCloseTo(1 + 4.00002 + 0.625, 9)
    expect(bill.activities['warm queries']).toBeCloseTo(2 + 4.00002, 9)
    expect(bill.activities.storage).toBeCloseTo(0.23, 9)
  })

  it('distributes the cost beyond the free tier', () => {
    const bill = billOf(quantities, { freeTier: true })
    // 600,000 − 400,000 GB-seconds, half for each.
    expect(bill.services['Lambda']).toBeCloseTo(2.66668, 9)
    expect(bill.activities.writes).toBeCloseTo(1 + 1.33334 + 0.625, 9)
    const free = billOf([{ item: 'alarm', activity: 'fixed', quantity: 8 }], { freeTier: true })
    expect([free.totalUsd, free.activities.fixed]).toEqual([0, 0])
  })

  it('uses every price', () => {
    const month: Workload = {
      ...DEFAULT_WORKLOAD,
      objects: 10,
      recordings: 10,
      recordingMinutes: 60,
      speech: 'transcribe',
    }
    const used = new Set(estimate(month).quantities.map(({ item }) => item))
    expect([...used].sort()).toEqual(Object.keys(PRICES).sort())
  })

  it('follows other prices', () => {
    const prices = { ...PRICES, s3Put: { ...PRICES.s3Put, usd: 0.0055 } }
    expect(billOf([{ item: 's3Put', activity: 'writes', quantity: 1_000 }], { prices }).totalUsd).toBeCloseTo(
      0.0055,
      12,
    )
  })
})

describe('a report', () => {
  it('adds up, and its unit costs are the activities’ costs over their counts', () => {
    const report = reportOf(DEFAULT_WORKLOAD)
    const sum = (values: Record<string, number>) => Object.values(values).reduce((a, b) => a + b, 0)
    expect(sum(report.bill.services)).toBeCloseTo(report.bill.totalUsd, 9)
    expect(sum(report.bill.activities)).toBeCloseTo(report.bill.totalUsd, 9)
    expect(report.bill.lines.reduce((total, { usd }) => total + usd, 0)).toBeCloseTo(report.bill.totalUsd, 9)
    const { activities } = report.bill
    expect(report.unitCosts.usdPer1000WarmQueries).toBeCloseTo(activities['warm queries'] / 100, 12)
    expect(report.unitCosts.usdPer1000ColdQueries).toBeCloseTo(activities['cold queries'], 12)
    expect(report.unitCosts.usdPerMillionWrites).toBeCloseTo(activities.writes * 10, 9)
    expect(report.unitCosts.usdPerGbKept).toBeCloseTo(0.023, 12)
    expect(report.others.map(({ usd }) => usd)).toContain('$3.64')
  })

  it('has no unit cost of operations that did not happen', () => {
    expect(reportOf(nothing).unitCosts).toEqual({
      usdPer1000Queries: null,
      usdPer1000ColdQueries: null,
      usdPer1000WarmQueries: null,
      usdPerMillionWrites: null,
      usdPer1000Objects: null,
      usdPerGbKept: null,
    })
  })

  it('prices 10,000 updates at the margin, as calculated by hand for an own machine', () => {
    const report = reportOf({ ...nothing, records: 1_000_000 }, { assumptions: { collectEveryHours: 1 } })
    // One by one in an hour: 10,000 entries, 554 folds, 184 merges, 1 look for garbage.
    const puts = 10_000 * 2 + 554 * 7 + 184 * 8 + 7
    const gets = 10_000 * 1.6 + 554 * 19 + 184 * 104 + 24
    expect(report.tenThousandUpdates.oneByOne).toBeCloseTo(puts * 5e-6 + gets * 4e-7, 9)
    // 20 entries, 20 folds, 6 merges.
    const few = (20 * 2 + 20 * 7 + 6 * 8 + 7) * 5e-6 + (20 * 1.6 + 20 * 19 + 6 * 104 + 24) * 4e-7
    expect(report.tenThousandUpdates.batchesOf500).toBeCloseTo(few, 9)
  })

  it('every assumption is a number that can be replaced', () => {
    for (const value of Object.values(ASSUMPTIONS)) expect(value).toBeGreaterThan(0)
  })
})
