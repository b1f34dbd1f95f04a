/** Prints the answer to one search on the command line. */
import type { HitExplanation, KnownWord, SearchHits, SearchResponse, WordPart } from '../model/search.ts'
import { parseExact } from '../records/exact-json.ts'
import { metadataToPlain } from '../records/index.ts'
import { type Column, table } from './format.ts'
import type { Output } from './output.ts'
import { recordTable } from './print-records.ts'

/** @param names of the `$knn`s of the expression, in its order */
export async function printSearch(
  out: Output,
  { results, version }: SearchResponse,
  names: readonly string[] = [],
): Promise<void> {
  const [hits = { ids: [] }] = results
  const records = rowsOf(hits)
  const facets = facetsOf(hits)
  const { didYouMean, suggestions } = hits
  const answer = {
    version,
    records,
    ...(facets && { facets }),
    ...(didYouMean !== undefined && { didYouMean }),
    ...(suggestions && { suggestions }),
  }
  await out.answer(answer, () =>
    [
      ...(didYouMean ? [`Did you mean: ${didYouMean.text}`] : []),
      recordTable(
        records.map(({ score, ...row }) => ({ ...row, ...(score !== undefined && { distance: score }) })),
        'SCORE',
      ),
      ...highlightTables(hits),
      ...explanationTables(hits, names),
      ...facetTables(hits),
      ...(suggestions ? [wordTable(suggestions)] : []),
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
function explanationTables({ ids, explanations }: SearchHits, names: readonly string[]): string[] {
  const [first] = explanations ?? []
  if (!explanations || !first) return []
  interface Part {
    id: string
    knn: string
    rank: number | null
    score: number | null
    contribution: number | null
    words?: WordPart[]
  }
  const parts = explanations.flatMap(({ knn }, i) =>
    knn.map((part, k): Part => ({ id: ids[i] as string, knn: names[k] ?? String(k + 1), ...part })),
  )
  const shown = (number: number | null) => (number === null ? '–' : number.toPrecision(4))
  const columns: Column<Part>[] = [
    { title: 'ID', value: ({ id }) => id, maxWidth: 40 },
    { title: '$KNN', value: ({ knn }) => knn, right: names.length === 0 },
    { title: 'POSITION', value: ({ rank }) => (rank === null ? 'not found' : String(rank)), right: true },
    { title: 'DISTANCE', value: ({ score }) => shown(score), right: true },
    { title: 'ADDS', value: ({ contribution }) => shown(contribution), right: true },
    { title: 'WORDS (BM25)', value: ({ words }) => wordsText(words ?? []), maxWidth: 100 },
  ]
  return [table(parts, columns, '')]
}

/** Each word with its part of the BM25, how often the record has it if more than once, and in which fields. */
export function wordsText(words: readonly WordPart[]): string {
  return words
    .map(({ word, count, fields, adds }) => {
      const places = fields ? ` in ${fields.map(({ key }) => key).join(' and ')}` : ''
      return `${word}${count > 1 ? ` ×${count}` : ''}${places} ${adds.toPrecision(3)}`
    })
    .join(', ')
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

function wordTable(words: readonly KnownWord[]): string {
  return table(
    words,
    [
      { title: 'WORD', value: ({ word }) => word, maxWidth: 64 },
      { title: 'DOCUMENTS', value: ({ documents }) => String(documents), right: true },
    ],
    'No words.',
  )
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
