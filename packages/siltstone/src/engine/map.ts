/** A picture of a collection: places of records in two dimensions, coloured by a key of the metadata. */
import type { MapReport } from '../model/maintenance.ts'
import type { ReadOptions } from '../model/read.ts'
import type { Collection } from '../model/store.ts'
import type { Pause } from '../pacer.ts'
import { isSparseVector, parseMetadata } from '../records/metadata.ts'
import { projectionOf } from './projection.ts'

export const MAX_MAP_RECORDS = 10_000
/** 16 MB of vectors. */
const MAX_NUMBERS = 4_000_000
/** A sample consists of this many runs of records, at equal distances in the order of insertion. */
const RUNS = 50

export interface MapRequest extends ReadOptions {
  /** Records of the picture, at most `MAX_MAP_RECORDS`; fewer of many dimensions. Default 2,000. */
  records?: number
  /** The key of the metadata whose values are given. */
  key?: string
}

/** Reads and computes in proportion to the records of the picture, not of the collection. The same state gives the same picture. */
export async function mapOf(collection: Collection, request: MapRequest, pause: Pause): Promise<MapReport> {
  const { records: asked = 2_000, key, ...read } = request
  const total = await collection.count(read)
  const dimension = collection.info.dimension ?? (await collection.state()).dimension ?? 1
  const wanted = Math.max(1, Math.min(asked, MAX_MAP_RECORDS, Math.floor(MAX_NUMBERS / dimension)))
  const runs = total <= wanted ? 1 : Math.min(RUNS, wanted)
  const limit = Math.ceil(Math.min(wanted, total) / runs)
  const found = new Map<string, { vector: Float32Array; value: unknown }>()
  let version = 0
  for (let run = 0; run < runs && total > 0; run++) {
    const page = await collection.get({
      ...read,
      offset: Math.floor((run * total) / runs),
      limit,
      include: { embeddings: true, ...(key !== undefined && { metadatas: true }) },
    })
    version = page.version
    for (const [i, id] of page.ids.entries()) {
      const vector = page.embeddings?.[i]
      if (vector) found.set(id, { vector, value: valueOf(page.metadatas?.[i] ?? null, key) })
    }
  }
  const points = [...found.values()].slice(0, wanted)
  const { x, y, explained } = await projectionOf(
    points.map(({ vector }) => vector),
    pause,
  )
  return {
    version,
    records: total,
    explained,
    ids: [...found.keys()].slice(0, wanted),
    x: [...x],
    y: [...y],
    values: key === undefined ? null : points.map(({ value }) => value),
  }
}

/** A list counts as its first value. */
function valueOf(metadata: string | null, key: string | undefined): unknown {
  if (metadata === null || key === undefined) return null
  const value = parseMetadata(metadata).get(key)
  if (value === undefined || isSparseVector(value)) return null
  const single = Array.isArray(value) ? (value[0] ?? null) : value
  return typeof single === 'bigint' ? (Number.isSafeInteger(Number(single)) ? Number(single) : String(single)) : single
}
