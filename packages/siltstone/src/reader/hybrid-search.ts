/**
 * What a search box asks: the records nearest to a text by meaning, and the best by words, in one ranking. It is that of
 * `hybrid` in the search API (but for records at one distance where the limit cuts between them), with lists as long as the answer, and
 * without the grammar and the arithmetic of rank expressions, which a page would have to load. What searches by words, and what
 * filters, is loaded when it is needed.
 */
import { yieldToEventLoop } from '#codec'
import { isSiltstoneError } from '../errors.ts'
import type { RecordRef, View } from '../log/view.ts'
import { DOCUMENT_KEY, isTextIndexed, textFieldOf, type StoredSchema } from '../model/schema.ts'
import { nearest } from '../query/nearest.ts'
import { everything, type Selection } from '../query/selection.ts'
import { joinedScore, WITHOUT_WORDS } from '../search/hybrid.ts'
import type { RankedRecord } from '../search/retriever.ts'
import type { Where } from '../library/types.ts'
import type { ReadSource } from './read-source.ts'
import { recovering } from './recovering.ts'

export interface HybridHit {
  id: string
  document: string | null
  /** Exact JSON text of an object. */
  metadata: string | null
  /** Higher is better. */
  score: number
}

export class HybridSearch {
  readonly #source: ReadSource
  /** Records whose texts can be embedded. Known after the first search. */
  #hasMeaning = true

  constructor(source: ReadSource) {
    this.#source = source
  }

  /** Loads what searches by words, so that the first search waits for less. */
  async prepare(): Promise<void> {
    if (this.#hasWords) await loadWords()
  }

  get #hasWords(): boolean {
    return isTextIndexed(this.#source.described.schema)
  }

  /** Of the documents. */
  get #language() {
    const language = textFieldOf(this.#source.described.schema, DOCUMENT_KEY)?.language
    return language === undefined ? {} : { language }
  }

  /**
   * Best first; equal ones in the order of insertion. A collection without an embedder is searched by words alone, one whose
   * schema disables words by meaning alone.
   * @throws SiltstoneError `invalid` (embedder-missing) when it has neither, and as `ReadOnlyCollection.search`
   */
  async search(text: string, limit: number, where?: Where): Promise<HybridHit[]> {
    return recovering(this.#source, async () => {
      const view = await this.#source.view()
      const selection = where ? await selectionOf(view, where, this.#source.described.schema) : everything(view)
      const lists = await Promise.all([
        this.#hasMeaning || !this.#hasWords ? this.#byMeaning(view, text, selection, limit) : [],
        this.#hasWords ? this.#byWords(view, text, selection, limit) : [],
      ])
      const best = joined(lists, limit)
      const refs = best.map(({ ref }) => ref)
      const { ids, documents = [], metadatas = [] } = await view.columns(refs, { documents: true, metadatas: true })
      return best.map(({ score }, i) => ({
        id: ids[i] as string,
        document: documents[i] ?? null,
        metadata: metadatas[i] ?? null,
        score,
      }))
    })
  }

  async #byWords(view: View, text: string, selection: Selection, limit: number): Promise<RankedRecord[]> {
    const { bestByWords } = await loadWords()
    return bestByWords(view, { text, ...this.#language }, selection, limit, yieldToEventLoop)
  }

  /**
   * The text as it may have been meant, where it has words that no document has. What finds them is loaded when it is needed.
   * @returns undefined if there is nothing to suggest
   */
  async didYouMean(text: string): Promise<string | undefined> {
    if (!this.#hasWords) return undefined
    const { didYouMean } = await import('../words/spelling.ts')
    const found = await recovering(this.#source, async () =>
      didYouMean(await this.#source.view(), { text, ...this.#language }, yieldToEventLoop, { whileTyping: true }),
    )
    return found?.text
  }

  async #byMeaning(view: View, text: string, selection: Selection, limit: number): Promise<RankedRecord[]> {
    let vectors: Float32Array[]
    try {
      vectors = await this.#source.embed([text])
    } catch (error) {
      if (!this.#hasWords || !isSiltstoneError(error, 'invalid') || error.code !== 'embedder-missing') throw error
      this.#hasMeaning = false
      return []
    }
    const { described, effort } = this.#source
    const asked = { vector: vectors[0] as Float32Array, k: limit, field: 'query', ...(effort && { search: effort }) }
    const found = await nearest(view, described.space, asked, selection, yieldToEventLoop)
    const ordinals = await view.ordinals(found.map(({ ref }) => ref))
    return found
      .map(({ ref, distance }, i) => ({ ref, ordinal: ordinals[i] as number, score: distance }))
      .sort((a, b) => a.score - b.score || a.ordinal - b.ordinal)
  }
}

const loadWords = () => import('../words/best-by-words.ts')

async function selectionOf(view: View, where: Where, schema: StoredSchema | null): Promise<Selection> {
  const { selectWhere } = await import('./select-where.ts')
  return selectWhere(view, where, schema)
}

/** @param lists by meaning and by words, each of at most `limit` records */
function joined(
  [meaning, words]: readonly [readonly RankedRecord[], readonly RankedRecord[]],
  limit: number,
): { ref: RecordRef; score: number }[] {
  const byOrdinal = new Map<number, { ref: RecordRef; ordinal: number; position: number; words: number }>()
  for (const [position, { ref, ordinal }] of meaning.entries())
    byOrdinal.set(ordinal, { ref, ordinal, position, words: WITHOUT_WORDS })
  for (const { ref, ordinal, score } of words) {
    const hit = byOrdinal.get(ordinal)
    if (hit) hit.words = score
    else byOrdinal.set(ordinal, { ref, ordinal, position: limit, words: score })
  }
  return Array.from(byOrdinal.values(), ({ ref, ordinal, position, words: byWords }) => ({
    ref,
    ordinal,
    score: -joinedScore(position, byWords),
  }))
    .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal)
    .slice(0, limit)
}
