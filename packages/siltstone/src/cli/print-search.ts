/** Prints the answer to one search on the command line. */
import type { HitExplanation, SearchHits, SearchResponse } from '../model/search.ts'
import { parseExact } from '../records/exact-json.ts'
import { metadataToPlain } from '../records/index.ts'
import { type Column, table } from './format.ts'
import type { Output } from './output.ts'
import { recordTable } from './print-records.ts'

export async function printSearch(out: Output, { results, version }: SearchResponse): Promise<void> {
  const [hits = { ids: [] }] = results
  const records = rowsOf(hits)
  const facets = facetsOf(hits)
  await out.answer({ version, records, ...(facets && { facets }) }, () =>
    [
      recordTable(
        records.map(({ score, ...row }) => ({ ...row, ...(score !== undefined && { distance: score }) })),
        'SCORE',
      ),
      ...highlightTables(hits),
      ...explanationTables(hits),
      ...facetTables(hits),
    ].join('\n'),
  )
}

function rowsOf({ ids, documents, embeddings, metadatas, scores, explanations, highlights }: SearchHits) {
  return ids.map((id, i) => ({
    id,
    ...(scores && { score: scores[i] as number }),
    ...(documents && { document: documents[i] ?? null }),
    ...(metadatas && { metadata: metadataToPlain(metadatas[i] ?? null) }),
    ...(embeddings && { embedding: embeddings[i] ?? null }),
    ...(highlights && { highlight: highlights[i] ?? null }),
    ...(explanations && { explanation: explanations[i] as HitExplanation }),
  }))
}

function facetsOf({ facets }: SearchHits) {
  return (
    facets &&
    Object.fromEntries(
      [...facets].map(([key, values]) => [
        key,
        values.map(({ value, count }) => ({ value: parseExact(value), count })),
      ]),
    )
  )
}

/** For each `$knn` of the expression, its part in each score. */
function explanationTables({ ids, explanations }: SearchHits): string[] {
  const [first] = explanations ?? []
  if (!explanations || !first) return []
  interface Part {
    id: string
    knn: number
    rank: number | null
    score: number | null
    contribution: number | null
  }
  const parts = explanations.flatMap(({ knn }, i) =>
    knn.map((part, k): Part => ({ id: ids[i] as string, knn: k + 1, ...part })),
  )
  const shown = (number: number | null) => (number === null ? '–' : number.toPrecision(4))
  const columns: Column<Part>[] = [
    { title: 'ID', value: ({ id }) => id, maxWidth: 40 },
    { title: '$KNN', value: ({ knn }) => String(knn), right: true },
    { title: 'POSITION', value: ({ rank }) => (rank === null ? 'not found' : String(rank)), right: true },
    { title: 'DISTANCE', value: ({ score }) => shown(score), right: true },
    { title: 'ADDS', value: ({ contribution }) => shown(contribution), right: true },
  ]
  return [table(parts, columns, '')]
}

/** The words that were looked for, between brackets. */
function highlightTables({ ids, highlights }: SearchHits): string[] {
  if (!highlights) return []
  const rows = highlights.flatMap((fragments, i) =>
    (fragments ?? []).map((parts) => ({
      id: ids[i] as string,
      text: parts.map((part, k) => (k % 2 === 0 ? part : `[${part}]`)).join(''),
    })),
  )
  return [
    table(
      rows,
      [
        { title: 'ID', value: ({ id }) => id, maxWidth: 40 },
        { title: 'WORDS', value: ({ text }) => text.replace(/\s+/g, ' '), maxWidth: 250 },
      ],
      'No words found.',
    ),
  ]
}

function facetTables({ facets }: SearchHits): string[] {
  const rows = [...(facets ?? [])].flatMap(([key, values]) => values.map((one) => ({ key, ...one })))
  if (!facets) return []
  return [
    table(
      rows,
      [
        { title: 'KEY', value: ({ key }) => key, maxWidth: 40 },
        { title: 'VALUE', value: ({ value }) => value, maxWidth: 70 },
        { title: 'RECORDS', value: ({ count }) => String(count), right: true },
      ],
      'No values.',
    ),
  ]
}
