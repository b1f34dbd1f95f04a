/** One state of a collection as the rows of a segment. */
import type { RowSource } from '../compact/write-segment.ts'
import type { SegmentRow } from '../format/segment/writer.ts'
import type { GetRequest, GetResponse } from '../model/read.ts'
import type { Collection } from '../model/store.ts'

const PAGE_RECORDS = 1_000

export interface CollectionRows {
  /** A version that is kept. */
  at: number
  /** Number of records that are given. */
  records: number
  /** The ordinal of a record by its place among all of the version; undefined: it is left out. */
  ordinalOf: (place: number) => number | undefined
  /** Called with each row that is given, in order of insertion. */
  onRow?: (row: SegmentRow) => void
}

export function collectionRows(collection: Pick<Collection, 'get'>, options: CollectionRows): RowSource {
  const { at, records, ordinalOf, onRow } = options
  return {
    async *rows() {
      let place = 0
      const include = { embeddings: true, documents: true, metadatas: true, uris: true }
      for await (const page of pages(collection, { at, include })) {
        const rows: SegmentRow[] = []
        for (const i of page.ids.keys()) {
          const ordinal = ordinalOf(place++)
          if (ordinal === undefined) continue
          const row = rowOf(page, i, ordinal, at)
          onRow?.(row)
          rows.push(row)
        }
        yield rows
      }
    },
    async *sample(count) {
      const step = Math.max(1, records / count)
      let next = 0
      let given = 0
      let place = 0
      for await (const { ids, embeddings = [] } of pages(collection, { at, include: { embeddings: true } })) {
        const taken: Float32Array[] = []
        for (const i of ids.keys()) {
          if (ordinalOf(place++) === undefined || given++ < Math.floor(next)) continue
          taken.push(embeddings[i] as Float32Array)
          next += step
        }
        if (taken.length > 0) yield taken
      }
    },
  }
}

/** Every record of a version, in order of insertion. */
export async function* collectionRecords(
  collection: Pick<Collection, 'get'>,
  at: number,
): AsyncGenerator<Omit<SegmentRow, 'ordinal' | 'version'>> {
  const include = { embeddings: true, documents: true, metadatas: true, uris: true }
  for await (const page of pages(collection, { at, include }))
    for (const i of page.ids.keys()) yield rowOf(page, i, 0, at)
}

async function* pages(collection: Pick<Collection, 'get'>, request: GetRequest): AsyncGenerator<GetResponse> {
  let page = await collection.get({ ...request, limit: PAGE_RECORDS })
  yield page
  while (page.pageToken !== undefined) {
    page = await collection.get({ include: request.include, limit: PAGE_RECORDS, pageToken: page.pageToken })
    yield page
  }
}

function rowOf(page: GetResponse, i: number, ordinal: number, version: number): SegmentRow {
  return {
    id: page.ids[i] as string,
    ordinal,
    version,
    vector: page.embeddings?.[i] as Float32Array,
    document: page.documents?.[i] ?? null,
    metadata: page.metadatas?.[i] ?? null,
    uri: page.uris?.[i] ?? null,
  }
}
