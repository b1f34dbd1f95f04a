/**
 * What a collection in a bucket needs at 10 million records and beyond, extrapolated from what was measured at one million.
 * `docs/explanation/scale.md` explains each step, and says what of it was measured.
 *
 * Segments hold at most a step (1 GiB), each with clusters of its own, 4 per root of its rows. A query visits the nearest
 * clusters of all segments together, so with s segments of r rows the lists that it visits grow as √s, the entries in them
 * as √(s·r), and the centroids that it compares as s·√r.
 */
import { OPERATIONS } from './operations.ts'
import { billOf } from './bill.ts'
import { estimate } from './estimate.ts'
import { PRICES, type PriceList } from './prices.ts'
import { type Assumptions, ASSUMPTIONS, DEFAULT_WORKLOAD } from './workload.ts'

/** `bench/results/cold-1000000.json` and `curve-1000000.json`: 1,000,000 × 384 as loaded, recall 0.96. */
export const MEASURED = {
  records: 1e6,
  dimension: 384,
  segments: 6,
  coldGets: 139,
  coldBytes: 7.09e6,
  coldRounds: 6,
  warmCpuSeconds: 0.0012,
  /** `build-1000000.json`: from the log to indexed segments, folds and merges one after another on two processors. */
  compactedPerSecond: 4_135,
  /** Of a record there: 1,842.7 MB in all. */
  recordBytes: 1_843,
}

/** Steps of the model that were not measured. */
export const SCALE_ASSUMPTIONS = {
  stepBytes: 1024 ** 3,
  /** Segments that cannot be joined within a step are between half a step and a step. */
  segmentFill: 0.75,
  clustersPerRoot: 4,
  /** Requests of a cold query that do not depend on the number of segments: names, pointer, manifest, list, vectors, documents. */
  coldGetsFixed: 46,
  /** Centroids and deletions of each segment. */
  coldGetsPerSegment: 2,
  /** Of a bucket, per request of a chain. */
  roundSeconds: 0.063,
  /** Of a function. */
  bytesPerSecond: 80e6,
  /** Comparisons with centroids, 8-bit multiplications of one thread. */
  multiplicationsPerSecond: 8e9,
  /** JSON in the manifest for each segment. */
  manifestBytesPerSegment: 3_000,
}

export interface ScaleRow {
  records: number
  liveBytes: number
  segments: number
  /** Objects of segments. Those of the log and of history come on top. */
  objects: number
  manifestBytes: number
  /** Held in memory by a reader that answers warm queries. */
  centroidBytes: number
  coldGets: number
  coldBytes: number
  coldSeconds: number
  coldUsdPer1000: number
  warmSeconds: number
  warmUsdPer1000: number
  /** Per million records written inserted in batches of 1,000, within a month. */
  writeUsdPerMillion: number
  writeAmplification: number
  compactorSecondsPerMillion: number
  /** Records per second that one machine indexes when it is never idle. */
  indexedPerSecond: number
  /** Until all records are indexed, at that rate. */
  loadDays: number
  storageUsdAMonth: number
}

/** Files of a segment: its data, and an inverted file, filters and words in files of their own. */
const OBJECTS_PER_SEGMENT = 25

/** @throws SiltstoneError `invalid` (bad-workload) */
export function scaleOf(
  records: number,
  dimension: number,
  {
    prices = PRICES,
    changes = {} as Partial<Assumptions & typeof SCALE_ASSUMPTIONS>,
  }: {
    prices?: PriceList
    changes?: Partial<Assumptions & typeof SCALE_ASSUMPTIONS>
  } = {},
): ScaleRow {
  const assumed = { ...SCALE_ASSUMPTIONS, ...ASSUMPTIONS, ...changes }
  const workload = { ...DEFAULT_WORKLOAD, records, dimension, writeBatch: 1_000, coldQueries: 0, warmQueries: 0 }
  const { liveBytes, recordBytes, storedBytes } = estimate({ ...workload, writes: 0 }, assumed).derived
  // A merge never grows with the collection: rows are merged until they are in a segment of a step.
  const merged = Math.min(records, Math.floor(assumed.stepBytes / recordBytes))
  const written = estimate(
    { ...workload, records: merged, writes: 1e6, monitoring: false },
    { ...assumed, updateShare: 0 },
  )
  const { writeAmplification, compactorSeconds } = written.derived
  const segments = Math.max(1, Math.ceil(liveBytes / (assumed.segmentFill * assumed.stepBytes)))
  const rows = records / segments
  const centroids = assumed.clustersPerRoot * Math.sqrt(rows) * segments
  const centroidBytes = centroids * (dimension + 12)
  const cold = coldQuery(records, dimension, segments, centroidBytes, assumed)
  const compared = (centroids * dimension) / assumed.multiplicationsPerSecond
  const scanned = MEASURED.warmCpuSeconds * Math.sqrt(records / MEASURED.records) * (dimension / MEASURED.dimension)
  const bill = billOf(written.quantities, { prices })
  const lambda = (seconds: number) =>
    (seconds * (assumed.queryMemoryMb / 1024) * prices.lambdaGbSecond.usd) / prices.lambdaGbSecond.per
  const get = (count: number) => (count * prices.s3Get.usd) / prices.s3Get.per
  const put = (count: number) => (count * prices.s3Put.usd) / prices.s3Put.per
  const { warmQuery, coldQuery: coldRequests } = OPERATIONS
  // Moving bytes and comparing vectors both grow with the size of a record.
  const indexedPerSecond = (MEASURED.compactedPerSecond * MEASURED.recordBytes) / recordBytes
  return {
    records,
    liveBytes,
    segments,
    objects: segments * OBJECTS_PER_SEGMENT,
    manifestBytes: segments * assumed.manifestBytesPerSegment,
    centroidBytes,
    ...cold,
    coldUsdPer1000: 1_000 * (get(cold.coldGets) + put(coldRequests.put) + lambda(cold.coldSeconds)),
    warmSeconds: compared + scanned,
    warmUsdPer1000: 1_000 * (get(warmQuery.get) + put(warmQuery.put) + lambda(compared + scanned)),
    writeUsdPerMillion: bill.activities.writes,
    writeAmplification,
    compactorSecondsPerMillion: compactorSeconds,
    indexedPerSecond,
    loadDays: records / indexedPerSecond / 86_400,
    storageUsdAMonth: (storedBytes / 1e9) * (prices.s3StorageGbMonth.usd / prices.s3StorageGbMonth.per),
  }
}

function coldQuery(
  records: number,
  dimension: number,
  segments: number,
  centroidBytes: number,
  assumed: typeof SCALE_ASSUMPTIONS,
) {
  const lists = MEASURED.coldGets - assumed.coldGetsFixed - assumed.coldGetsPerSegment * MEASURED.segments
  const coldGets =
    assumed.coldGetsFixed + assumed.coldGetsPerSegment * segments + lists * Math.sqrt(segments / MEASURED.segments)
  const entryBytes = (values: number) => values / 8 + 12
  const measuredCentroids =
    assumed.clustersPerRoot * Math.sqrt(MEASURED.records * MEASURED.segments) * (MEASURED.dimension + 12)
  const listBytes =
    (MEASURED.coldBytes - measuredCentroids) *
    Math.sqrt(records / MEASURED.records) *
    (entryBytes(dimension) / entryBytes(MEASURED.dimension))
  const coldBytes = centroidBytes + listBytes + segments * assumed.manifestBytesPerSegment
  const coldSeconds = MEASURED.coldRounds * assumed.roundSeconds + coldBytes / assumed.bytesPerSecond
  return { coldGets, coldBytes, coldSeconds }
}
