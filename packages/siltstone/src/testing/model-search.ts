/** The plainest possible `search`: every record is scored, and domains are maps. Engines are compared with it. */
import type { Space } from '../model/collection.ts'
import type { Facets, FacetValue, Knn, Rank, Search, SearchHits } from '../model/search.ts'
import type { Metadata, MetadataValue, SparseVector } from '../model/record.ts'
import { DOCUMENT_KEY } from '../model/schema.ts'
import type { RecordState } from '../records/apply.ts'
import { stringifyExact } from '../records/exact-json.ts'
import { parseMetadata, stringifyMetadata } from '../records/metadata.ts'
import { invalid } from '../errors.ts'
import { documentAnalyzer } from '../text/analyzer.ts'
import { highlight, wantedWords } from '../text/highlight.ts'
import { combinedExamples } from '../search/examples.ts'
import { modelDistance } from './model-state.ts'
import { modelDidYouMean, modelFieldScores, modelIdf, modelKnownWords, modelWordScores } from './model-words.ts'

type Row = [id: string, state: RecordState]

interface Domain {
  scores: Map<number, number>
  /** undefined: none */
  byDefault: ((row: number) => number | undefined) | undefined
}

export interface ModelSearch {
  /** All records, in order of insertion. */
  rows: readonly Row[]
  admits: (row: Row) => boolean
  space: Space
  dimension: number | null
}

const f32 = Math.fround

export function modelSearch(search: Search, world: ModelSearch): SearchHits {
  const { rows } = world
  const { rank, offset, limit, select } = search
  let scored: { row: number; score: number }[]
  if (rank === undefined)
    scored = [...rows.entries()].filter(([, row]) => world.admits(row)).map(([row]) => ({ row, score: 0 }))
  else {
    const { scores } = domainOf(rank, world)
    scored = [...scores].map(([row, score]) => ({ row, score })).sort((a, b) => a.score - b.score || a.row - b.row)
    const bad = scored.find(({ score }) => !Number.isFinite(score))
    if (bad)
      throw invalid('no-number', `Rank expression gives no number for ${JSON.stringify(rows[bad.row]?.[0])}`, {
        field: 'rank',
      })
  }
  if (search.maxScore !== undefined) scored = scored.filter(({ score }) => score <= f32(search.maxScore as number))
  if (search.groupBy) scored = bestOfGroups(scored, search.groupBy, rows)
  if (search.orderBy) scored = inOrder(scored, search.orderBy, rows)
  const end = limit === undefined ? scored.length : offset + limit
  if (search.diversity)
    scored = diverse(scored.slice(0, search.diversity.candidates), search.diversity.lambda, end, rows)
  const page = scored.slice(offset, limit === undefined ? undefined : offset + limit)
  const states = page.map(({ row }) => (rows[row] as Row)[1])
  const { metadatas } = select
  return {
    ids: page.map(({ row }) => (rows[row] as Row)[0]),
    ...(select.documents && { documents: states.map(({ document }) => document) }),
    ...(select.embeddings && { embeddings: states.map(({ vector }) => vector) }),
    ...(metadatas !== false && { metadatas: states.map(({ metadata }) => projected(metadata, metadatas)) }),
    ...(select.uris === true && { uris: states.map(({ uri }) => uri) }),
    ...(select.scores && { scores: page.map(({ score }, i) => (rank ? score : i)) }),
    ...(search.highlight && { highlights: states.map(({ document }) => shownWords(document, search.highlight)) }),
    ...(search.facets && { facets: facetsOf(world.rows.filter(world.admits), search.facets) }),
    ...wordHelp(search, rows),
  }
}

function wordHelp({ didYouMean, suggest }: Search, rows: readonly Row[]): Partial<SearchHits> {
  const documents = rows.map(([, { document }]) => document)
  const last = suggest && /[\p{L}\p{N}_]+$/u.exec(suggest.text)?.[0].toLowerCase()
  return {
    ...(didYouMean && { didYouMean: modelDidYouMean(documents, didYouMean.text) }),
    ...(suggest && {
      suggestions: last === undefined ? [] : modelKnownWords(documents, last).slice(0, suggest.limit),
    }),
  }
}

interface Scored {
  row: number
  score: number
}

function inOrder(scored: readonly Scored[], keys: NonNullable<Search['orderBy']>, rows: readonly Row[]): Scored[] {
  const valueOf = ({ row, score }: Scored, key: string) =>
    key === '#score' ? score : metadataOf(rows[row] as Row)?.get(key)
  return scored.toSorted((a, b) => {
    for (const { key, order } of keys) {
      const difference = orderOf(valueOf(a, key), valueOf(b, key), order)
      if (difference !== 0) return difference
    }
    return 0
  })
}

/** Hits without a value come last, in either order. */
function orderOf<T extends Parameters<typeof differenceOf>[0]>(
  x: T | undefined,
  y: T | undefined,
  order: 'ascending' | 'descending',
): number {
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined)
  return differenceOf(x, y) * (order === 'ascending' ? 1 : -1)
}

function diverse(scored: readonly Scored[], lambda: number, count: number, rows: readonly Row[]): Scored[] {
  const [least, most] = [Math.min(...scored.map(({ score }) => score)), Math.max(...scored.map(({ score }) => score))]
  const vectorOf = ({ row }: Scored) => rows[row]?.[1].vector ?? Float32Array.of()
  const product = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0)
  const cosine = (a: Float32Array, b: Float32Array) => {
    const norms = Math.sqrt(product(a, a)) * Math.sqrt(product(b, b))
    return norms > 0 ? product(a, b) / norms : 0
  }
  const chosen: Scored[] = []
  while (chosen.length < Math.min(count, scored.length)) {
    let best: { hit: Scored; value: number } | undefined
    for (const hit of scored) {
      if (chosen.includes(hit)) continue
      const relevance = most === least ? 1 : (most - hit.score) / (most - least)
      const likeness = chosen.length === 0 ? 0 : Math.max(...chosen.map((one) => cosine(vectorOf(one), vectorOf(hit))))
      const value = lambda * relevance - (1 - lambda) * likeness
      if (!best || value > best.value) best = { hit, value }
    }
    chosen.push((best as { hit: Scored }).hit)
  }
  return chosen
}

function shownWords(document: string | null, request: Search['highlight']) {
  if (document === null || !request) return null
  const words = wantedWords(request.texts.map((text) => documentAnalyzer().query(text)))
  return highlight(document, words, request)
}

function facetsOf(rows: readonly Row[], { keys, limit }: Facets): Map<string, FacetValue[]> {
  return new Map(
    keys.map((key) => {
      const all = rows.flatMap((row) => {
        const value = metadataOf(row)?.get(key)
        if (value === undefined || (typeof value === 'object' && !Array.isArray(value))) return []
        return [...new Set([value].flat().map(stringifyExact))]
      })
      const counted = [...Map.groupBy(all, (text) => text)].map(([value, { length: count }]) => ({ value, count }))
      return [key, counted.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, limit)]
    }),
  )
}

function projected(text: string | null, keys: true | readonly string[]): string | null {
  if (text === null) return null
  const isKept = (key: string) => (keys === true ? !key.startsWith('chroma:') : keys.includes(key))
  const kept = new Map([...parseMetadata(text)].filter(([key]) => isKept(key)))
  return kept.size === 0 ? null : stringifyMetadata(kept)
}

function domainOf(rank: Rank, world: ModelSearch): Domain {
  const of = (one: Rank) => domainOf(one, world)
  switch (rank.kind) {
    case 'value':
      return { scores: new Map(), byDefault: () => f32(rank.value) }
    case 'attribute':
      return {
        scores: new Map(),
        byDefault: (row) => {
          const value = metadataOf(world.rows[row] as Row)?.get(rank.key)
          const number = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : rank.default
          return number === null ? undefined : f32(number)
        },
      }
    case 'knn':
      return {
        scores: knnScores(rank.knn, world),
        byDefault: rank.knn.default === null ? undefined : () => f32(rank.knn.default as number),
      }
    case 'sum':
      return rank.operands.map(of).reduce((l, r) => merge(l, r, (a, b) => a + b), number(0))
    case 'mul':
      return rank.operands.map(of).reduce((l, r) => merge(l, r, (a, b) => a * b), number(1))
    case 'max':
      return rank.operands
        .map(of)
        .reduce((l, r) => merge(l, r, (a, b) => (Number.isNaN(b) || a > b ? a : b)), number(-3.4028235e38))
    case 'min':
      return rank.operands
        .map(of)
        .reduce((l, r) => merge(l, r, (a, b) => (Number.isNaN(b) || a < b ? a : b)), number(3.4028235e38))
    case 'sub':
      return merge(of(rank.left), of(rank.right), (a, b) => a - b)
    case 'div':
      return merge(of(rank.left), of(rank.right), (a, b) => a / b)
    case 'abs':
      return map(of(rank.operand), Math.abs)
    case 'exp':
      return map(of(rank.operand), Math.exp)
    case 'log':
      return map(of(rank.operand), Math.log)
  }
}

function number(value: number): Domain {
  return { scores: new Map(), byDefault: () => f32(value) }
}

function map({ scores, byDefault }: Domain, change: (value: number) => number): Domain {
  return {
    scores: new Map([...scores].map(([row, score]) => [row, f32(change(score))])),
    byDefault:
      byDefault &&
      ((row) => {
        const value = byDefault(row)
        return value === undefined ? undefined : f32(change(value))
      }),
  }
}

function merge(left: Domain, right: Domain, combine: (left: number, right: number) => number): Domain {
  const l = (row: number) => left.scores.get(row) ?? left.byDefault?.(row)
  const r = (row: number) => right.scores.get(row) ?? right.byDefault?.(row)
  const both = (row: number) => {
    const [a, b] = [l(row), r(row)]
    return a === undefined || b === undefined ? undefined : f32(combine(a, b))
  }
  const scores = new Map<number, number>()
  for (const row of new Set([...left.scores.keys(), ...right.scores.keys()])) {
    const isIn =
      left.byDefault && right.byDefault
        ? true
        : (left.byDefault !== undefined || left.scores.has(row)) &&
          (right.byDefault !== undefined || right.scores.has(row))
    const score = both(row)
    if (isIn && score !== undefined) scores.set(row, score)
  }
  return { scores, byDefault: left.byDefault && right.byDefault && both }
}

function knnScores(knn: Knn, world: ModelSearch): Map<number, number> {
  if (knn.query.kind === 'examples') return knnScores(...withoutExamples(knn, knn.query, world))
  const scored: { row: number; score: number }[] = []
  const words = knn.query.kind === 'text' ? textScores(knn, world) : undefined
  for (const [row, record] of world.rows.entries()) {
    if (!world.admits(record)) continue
    const score = words ? words[row] : distanceOf(knn, record, world)
    if (score !== undefined) scored.push({ row, score })
  }
  scored.sort((a, b) => a.score - b.score || a.row - b.row)
  return new Map(scored.slice(0, knn.limit).map(({ row, score }, i) => [row, knn.returnRank ? i : score]))
}

function withoutExamples(
  knn: Knn,
  { positive, negative }: Extract<Knn['query'], { kind: 'examples' }>,
  world: ModelSearch,
): [Knn, ModelSearch] {
  const examples = [...positive, ...negative]
  const missing = examples.find((id) => !world.rows.some(([other]) => other === id))
  if (missing !== undefined)
    throw invalid('example-missing', `there is no record ${JSON.stringify(missing)}`, { field: 'query' })
  const of = (ids: readonly string[]) =>
    ids.map((id) => world.rows.find(([other]) => other === id)?.[1].vector as Float32Array)
  const vector = combinedExamples(of(positive), of(negative), world.space)
  const admits = (row: Row) => !examples.includes(row[0]) && world.admits(row)
  return [
    { ...knn, query: { kind: 'dense', vector } },
    { ...world, admits },
  ]
}

function textScores({ query, key }: Knn, { rows }: ModelSearch): (number | undefined)[] {
  if (query.kind !== 'text') return []
  if (!query.fields && key !== DOCUMENT_KEY)
    throw invalid('text-query', `a text query on '${key}' has to be embedded first`, { field: 'query' })
  const fields = (query.fields ?? [{ key, weight: 1 }]).map((field) => ({
    weight: field.weight,
    texts: rows.map((row) => textOf(row, field.key)),
  }))
  const [only] = fields
  return only && fields.length === 1 && only.weight === 1
    ? modelWordScores(only.texts, query.text)
    : modelFieldScores(fields, query.text)
}

/** In English, as all texts of the tests are. */
function textOf(row: Row, key: string): string | null {
  if (key === DOCUMENT_KEY) return row[1].document
  const value = metadataOf(row)?.get(key)
  return typeof value === 'string' ? value : null
}

function distanceOf({ query, key }: Knn, record: Row, world: ModelSearch): number | undefined {
  if (query.kind === 'text' || query.kind === 'examples') return undefined
  if (query.kind === 'dense') {
    const { dimension } = world
    if (dimension !== null && query.vector.length !== dimension)
      throw invalid(
        'dimension-mismatch',
        `Collection expecting embedding with dimension of ${dimension}, got ${query.vector.length}`,
        { field: 'query' },
      )
    return record[1].vector ? f32(modelDistance(world.space, query.vector, record[1].vector)) : undefined
  }
  const mine = sparseOf(record, key)
  if (!mine?.indices.some((index) => query.indices.includes(index))) return undefined
  let dot = 0
  for (const [i, index] of query.indices.entries()) {
    const value = mine.values[mine.indices.indexOf(index)]
    if (value === undefined) continue
    dot = f32(dot + f32(weightOf(query, i, key, world) * f32(value)))
  }
  return f32(1 - dot)
}

function weightOf(query: Extract<Knn['query'], { kind: 'sparse' }>, i: number, key: string, world: ModelSearch) {
  const value = f32(query.values[i] as number)
  if (query.idf !== true) return value
  const n = world.rows.filter((row) => sparseOf(row, key)?.indices.includes(query.indices[i] as number)).length
  const total = world.rows.length
  return f32(value * f32(modelIdf(total, n)))
}

function metadataOf([, { metadata }]: Row): Metadata | null {
  return metadata === null ? null : parseMetadata(metadata)
}

function sparseOf(row: Row, key: string): SparseVector | undefined {
  const value = metadataOf(row)?.get(key)
  return typeof value === 'object' && !Array.isArray(value) ? value : undefined
}

function bestOfGroups(
  scored: readonly { row: number; score: number }[],
  { keys, by, order, k }: NonNullable<Search['groupBy']>,
  rows: readonly Row[],
): { row: number; score: number }[] {
  const valueOf = ({ row, score }: { row: number; score: number }, key: string) =>
    key === '#score' ? score : metadataOf(rows[row] as Row)?.get(key)
  const groups = Map.groupBy(scored, (hit) =>
    JSON.stringify(
      keys.map((key) => {
        const value = valueOf(hit, key)
        return value === undefined ? null : stringifyExact(value)
      }),
    ),
  )
  const kept = [...groups.values()].flatMap((group) =>
    group
      .toSorted((a, b) => {
        for (const key of by) {
          const difference = orderOf(valueOf(a, key), valueOf(b, key), order)
          if (difference !== 0) return difference
        }
        return 0
      })
      .slice(0, k),
  )
  return scored.filter((hit) => kept.includes(hit))
}

/** Booleans, numbers, strings; the suites group by no other values. */
function differenceOf(x: MetadataValue, y: MetadataValue): number {
  const kind = (value: MetadataValue) =>
    ['boolean', 'number', 'string'].indexOf(typeof (typeof value === 'bigint' ? 0 : value))
  if (kind(x) !== kind(y)) return kind(x) - kind(y)
  return x < y ? -1 : x > y ? 1 : 0
}
