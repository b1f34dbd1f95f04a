/** Prints records on the command line. */
import type { Explanation, GetResponse, Include, QueryHits } from '../model/read.ts'
import { metadataToPlain } from '../records/index.ts'
import { type Column, table } from './format.ts'
import type { Output } from './output.ts'

type Columns = Pick<GetResponse, 'embeddings' | 'documents' | 'metadatas' | 'uris'>

interface Row {
  id: string
  distance?: number
  document?: string | null
  metadata?: Record<string, unknown> | null
  uri?: string | null
  embedding?: Float32Array | null
}

export function rowsOf(ids: readonly string[], columns: Columns, distances?: readonly number[]): Row[] {
  return ids.map((id, i) => ({
    id,
    ...(distances && { distance: distances[i] as number }),
    ...(columns.documents && { document: columns.documents[i] ?? null }),
    ...(columns.metadatas && { metadata: metadataToPlain(columns.metadatas[i] ?? null) }),
    ...(columns.uris && { uri: columns.uris[i] ?? null }),
    ...(columns.embeddings && { embedding: columns.embeddings[i] ?? null }),
  }))
}

export function columnsFrom(include: readonly string[]): Include {
  return {
    documents: include.includes('documents'),
    embeddings: include.includes('embeddings'),
    metadatas: include.includes('metadatas'),
    uris: include.includes('uris'),
  }
}

export async function printRecords(out: Output, answer: GetResponse): Promise<void> {
  const rows = rowsOf(answer.ids, answer)
  const more =
    answer.pageToken === undefined ? '' : 'There are more records: raise --limit, or continue with --offset.\n'
  await out.answer(
    { version: answer.version, records: rows, ...(more && { more: true }) },
    () => `${recordTable(rows)}${more}`,
  )
}

export async function printHits(
  out: Output,
  hits: QueryHits,
  version: number,
  explanation?: Explanation,
): Promise<void> {
  const rows = rowsOf(hits.ids, hits, hits.distances)
  const how = explanation ? `\n${explanationText(explanation)}` : ''
  await out.answer({ version, records: rows, ...(explanation && { explanation }) }, () => `${recordTable(rows)}${how}`)
}

function explanationText(it: Explanation): string {
  const times = Object.entries(it.timesMs).map(([stage, ms]) => `${stage} ${ms.toFixed(2)} ms`)
  return [
    `${it.requests} requests in ${it.rounds} rounds, ${it.bytesRead} bytes read`,
    `${it.segments} segments: ${it.clusters} clusters visited, ${it.entries} codes estimated, ${it.candidates} candidates`,
    `${it.measured + it.scannedRows + it.freshRecords} records measured exactly (${it.scannedRows} in scans, ${it.freshRecords} from the log)`,
    `${times.join(', ')}\n`,
  ].join('\n')
}

/** @param distanceTitle what the distances are called */
export function recordTable(rows: readonly Row[], distanceTitle = 'DISTANCE'): string {
  const [first] = rows
  const columns: Column<Row>[] = [{ title: 'ID', value: (row) => row.id, maxWidth: 40 }]
  if (first?.distance !== undefined)
    columns.push({ title: distanceTitle, value: (row) => row.distance?.toFixed(4), right: true })
  if (first?.document !== undefined) columns.push({ title: 'DOCUMENT', value: (row) => row.document, maxWidth: 70 })
  // Before the metadata, which are cut: its end is the place in a document or a recording.
  if (rows.some(({ uri }) => typeof uri === 'string')) columns.push({ title: 'URI', value: (row) => row.uri })
  if (first?.metadata !== undefined)
    columns.push({ title: 'METADATA', value: (row) => row.metadata && showMetadata(row.metadata), maxWidth: 90 })
  if (first?.embedding !== undefined)
    columns.push({ title: 'EMBEDDING', value: (row) => row.embedding && showVector(row.embedding) })
  return table(rows, columns, 'No records.')
}

function showMetadata(metadata: Record<string, unknown>): string {
  return JSON.stringify(metadata, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}

function showVector(vector: Float32Array): string {
  const head = Array.from(vector.subarray(0, 4), (value) => value.toPrecision(3)).join(', ')
  return vector.length > 4 ? `[${head}, … ${vector.length}]` : `[${head}]`
}
