/** Searches of a client by words, by sparse vectors and by parts of documents, and the plain computation of their answers. */
import type { Collection, Filter, SearchRequest } from 'siltstone/internal'
import type { Call } from './call.ts'
import { SPARSE_KEY, WORDS } from './draw-operations.ts'
import type { ModelRecord, ModelState } from './log-model.ts'
import { checkVersion, expectOne, sameLines, strongStates } from './reads.ts'

type Search = SearchRequest['searches'][number]
type Knn = Extract<Search['rank'], { kind: 'knn' }>['knn']
type Scores = ReadonlyMap<string, number>

const LIMIT = 1_000
/** Scores are rounded to 32 bits. */
const TOLERANCE = 1e-5
const NOT_ONE: Filter = { kind: 'compare', key: 'n', op: 'ne', value: 1n }

/** BM25 as `words/score.ts` of the product defines it. All documents have as many words, so their length does not matter. */
function wordScores({ records }: ModelState, word: string): Scores {
  const texts = [...records].filter(([, { document }]) => document !== null)
  const counts = texts.map(([id, { document }]) => [id, (document as string).split(' ').filter((one) => one === word)])
  const having = counts.filter(([, found = []]) => found.length > 0)
  const idf = Math.log1p((texts.length - having.length + 0.5) / (having.length + 0.5))
  return new Map(having.map(([id, { length: tf } = '']) => [id as string, 1 - (idf * tf * 2.2) / (tf + 1.2)]))
}

function sparseScores({ records }: ModelState, asked: ReadonlyMap<number, number>): Scores {
  const scores = new Map<string, number>()
  for (const [id, { metadata }] of records) {
    const vector = metadata?.[SPARSE_KEY] as { indices: number[]; values: number[] } | undefined
    const shared = (vector?.indices ?? []).flatMap((index, i) =>
      asked.has(index) ? [(asked.get(index) as number) * (vector?.values[i] as number)] : [],
    )
    if (shared.length > 0)
      scores.set(
        id,
        shared.reduce((rest, product) => rest - product, 1),
      )
  }
  return scores
}

function isAdmitted(record: ModelRecord | undefined): boolean {
  return record?.metadata?.['n'] !== 1
}

/** @param scoresOf of all records that are found without a filter */
async function check(
  { world, chance, from }: Call,
  collection: Collection,
  query: Pick<Knn, 'query' | 'key'>,
  scoresOf: (state: ModelState) => Scores,
): Promise<void> {
  const filter = chance.one(0.5) ? NOT_ONE : undefined
  const search: Search = {
    ...(filter && { filter }),
    rank: { kind: 'knn', knn: { ...query, limit: LIMIT, default: null, returnRank: false } },
    offset: 0,
    select: { documents: false, embeddings: false, metadatas: false, scores: true },
  }
  const { results, version } = await collection.search({ searches: [search] })
  const what = `search by ${query.query.kind}`
  world.marks.hit(what)
  if (!checkVersion(world, from, version, from.end, what)) return
  const ids = results[0]?.ids ?? []
  const scores = results[0]?.scores ?? []
  const isSorted = scores.every((score, i) => i === 0 || (score as number) >= (scores[i - 1] as number))
  const passes = (state: ModelState) => {
    const expected = scoresOf(state)
    const admitted = [...expected.keys()].filter((id) => !filter || isAdmitted(state.records.get(id)))
    return (
      isSorted &&
      sameLines(admitted.sort(), ids.toSorted()) &&
      ids.every((id, i) => Math.abs((scores[i] as number) - (expected.get(id) as number)) < TOLERANCE)
    )
  }
  const shown = ids.map((id, i) => `${id} ${scores[i]}`).join(', ')
  const asked = JSON.stringify(query.query)
  expectOne(
    world,
    'strong reads',
    strongStates(from, version),
    passes,
    () => `${what} ${asked} at ${version} gave ${shown}`,
  )
}

function searchText(call: Call, collection: Collection): Promise<void> {
  const word = call.chance.pick(WORDS)
  return check(call, collection, { query: { kind: 'text', text: word }, key: '#document' }, (state) =>
    wordScores(state, word),
  )
}

function searchSparse(call: Call, collection: Collection): Promise<void> {
  const { chance } = call
  const asked = new Map([0, 1, 2, 3].filter(() => chance.one(0.6)).map((index) => [index, chance.between(1, 3)]))
  if (asked.size === 0) asked.set(0, 1)
  const query = { kind: 'sparse' as const, indices: [...asked.keys()], values: [...asked.values()] }
  return check(call, collection, { query, key: SPARSE_KEY }, (state) => sparseScores(state, asked))
}

async function getDocument({ world, chance, from }: Call, collection: Collection): Promise<void> {
  const text = chance.pick([...WORDS, 'e ri', 'id1'])
  const negated = chance.one(0.3)
  const { ids, version } = await collection.get({ include: {}, filter: { kind: 'document-contains', negated, text } })
  world.marks.hit('get by document')
  if (!checkVersion(world, from, version, from.end, 'get by document')) return
  const idsOf = ({ records }: ModelState) =>
    [...records].filter(([, { document }]) => (document?.includes(text) ?? false) !== negated).map(([id]) => id)
  expectOne(
    world,
    'strong reads',
    strongStates(from, version),
    (state) => sameLines(idsOf(state), ids),
    () => `get where document ${negated ? 'lacks' : 'has'} ${text} at version ${version} gave ${ids.join(' ')}`,
  )
}

export const kinds = { searchText, searchSparse, getDocument }
