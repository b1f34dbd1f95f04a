/** One state of a collection as the rows of a segment. */
import type { RowSource } from '../compact/write-segment.ts'
import type { SegmentRow } from '../format/segment/writer.ts'
import type { GetRequest, GetResponse } from '../model/read.ts'
import type { Collection } from '../model/store.ts'

const PAGE_RECORDS = 1_000

/**
 * @param at a version that is kept
 * @param records number of records of that version
 */
export function collectionRows(collection: Pick<Collection, 'get'>, at: number, records: number): RowSource {
  return {
    async *rows() {
      let ordinal = 0
      const include = { embeddings: true, documents: true, metadatas: true, uris: true }
      for await (const page of pages(collection, { at, include }))
        yield page.ids.map((_, i) => rowOf(page, i, ordinal++, at))
    },
    async *sample(count) {
      const step = Math.max(1, records / count)
      let next = 0
      let first = 0
      for await (const { ids, embeddings = [] } of pages(collection, { at, include: { embeddings: true } })) {
        const taken: Float32Array[] = []
        for (; next < first + ids.length; next += step) taken.push(embeddings[Math.floor(next) - first] as Float32Array)
        first += ids.length
        if (taken.length > 0) yield taken
      }
    },
  }
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
