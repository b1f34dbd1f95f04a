/** Asks one question by meaning, by words and by both, and shows why the answers differ. */
import type { Embedder } from '../../../embed/port.ts'
import { hybrid, type RankExpression } from '../../../library/index.ts'
import type { CollectionInfo } from '../../../model/collection.ts'
import type { KnnPart, SearchHits } from '../../../model/search.ts'
import { metadataToPlain } from '../../../records/index.ts'
import { noLimits, parseSearch, prepare } from '../../../search/index.ts'
import { cut } from '../../format.ts'
import { wordsText } from '../../print-search.ts'
import type { Session } from '../../session.ts'

const SHOWN = 3
const LIST = 50

export interface Way {
  way: 'by meaning' | 'by words' | 'by both'
  passages: { source: string; heading: string; meaning: Place | null; words: Place | null; found: string }[]
}

interface Place {
  /** From 1. */
  position: number
  score: number
}

export interface ThreeWays {
  question: string
  ways: Way[]
}

export async function askThreeWays(
  session: Session,
  info: CollectionInfo,
  embedder: Embedder,
  question: string,
): Promise<ThreeWays> {
  const collection = await session.engine.collection(info.tenant, info.database, info.id)
  const meaning = { $knn: { query: question, limit: LIST, default: LIST, return_rank: true } }
  const words = { $knn: { query: question, key: '#document', limit: LIST, default: 1 } }
  const nothingOf = (list: RankExpression) => ({ $mul: [{ $val: 0 }, list] })
  // Each way has both lists, of which one may count nothing: so each answer tells the places in both, meaning first.
  const ranks: [Way['way'], RankExpression][] = [
    ['by meaning', { $sum: [meaning, nothingOf(words)] }],
    ['by words', { $sum: [nothingOf(meaning), words] }],
    ['by both', hybrid({ query: question, limit: LIST })],
  ]
  const parsed = ranks.map(([, rank]) => {
    const json = { rank, limit: { limit: SHOWN }, select: { keys: ['#metadata'] } }
    return parseSearch(json, 'search', noLimits, 'plain').search
  })
  const embed = (texts: readonly string[]) => embedder.embed([...texts])
  const searches = await prepare(parsed, { schema: info.schema, needsIndex: false, embed })
  const { results } = await collection.search({ searches, explain: true })
  return { question, ways: ranks.map(([way], i) => ({ way, passages: passagesOf(results[i] ?? { ids: [] }) })) }
}

function passagesOf({ ids, metadatas, explanations }: SearchHits): Way['passages'] {
  return ids.map((_, i) => {
    const { source, heading } = metadataToPlain(metadatas?.[i] ?? null) ?? {}
    const [meaning, words] = explanations?.[i]?.knn ?? []
    return {
      source: String(source),
      heading: String(heading),
      meaning: placeOf(meaning),
      words: placeOf(words),
      found: wordsText(words?.words ?? []),
    }
  })
}

function placeOf(part: KnnPart | undefined): Place | null {
  return part && part.rank !== null && part.score !== null ? { position: part.rank + 1, score: part.score } : null
}

export function threeWaysText({ question, ways }: ThreeWays): string {
  const place = (found: Place | null) => (found ? `${found.position}.` : `not in the first ${LIST}`)
  const lines = ways.map(({ way, passages }) => {
    const own = passages.map(
      ({ source, heading, meaning, words, found }) =>
        `    ${source}${heading ? ` > ${cut(heading, 50)}` : ''}\n` +
        `           by meaning ${place(meaning)}, by words ${place(words)}${found ? `: ${found}` : ''}\n`,
    )
    return `  ${way}\n${own.join('') || '    nothing\n'}`
  })
  return `  ${question}\n\n${lines.join('\n')}`
}
