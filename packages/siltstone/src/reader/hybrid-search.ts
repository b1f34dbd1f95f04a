/**
 * What a search box asks: the records nearest to a text by meaning, and the best by words, in one ranking. It is that of
 * `hybrid` of the library (but for records at one distance where the limit cuts between them), without the grammar and the
 * arithmetic of rank expressions, which a page would have to load. What searches by words, and what filters, is loaded when it is needed.
 */
import { yieldToEventLoop } from '#codec'
import { isSiltstoneError } from '../errors.ts'
import type { RecordRef, View } from '../log/view.ts'
import { DOCUMENT_KEY, isTextIndexed } from '../model/schema.ts'
import { nearest } from '../query/nearest.ts'
import { everything, type Selection } from '../query/selection.ts'
import type { RankedRecord } from '../search/retriever.ts'
import type { Where } from '../library/types.ts'
import type { ReadSource } from './read-source.ts'
import { recovering } from './recovering.ts'

/** 1 − BM25 of a document that has none of the words. */
const WITHOUT_WORDS = 1

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

  /**
   * Best first; equal ones in the order of insertion. A collection without an embedder is searched by words alone, one whose
   * schema disables words by meaning alone.
   * @throws SiltstoneError `invalid` (embedder-missing) when it has neither, and as `ReadOnlyCollection.search`
   */
  async search(text: string, limit: number, where?: Where): Promise<HybridHit[]> {
    return recovering(this.#source, async () => {
      const view = await this.#source.view()
      const selection = where ? await selectionOf(view, where) : everything(view)
      const [near, wordy] = await Promise.all([
        this.#hasMeaning || !this.#hasWords ? this.#byMeaning(view, text, selection, limit) : [],
        this.#hasWords ? byWords(view, text, selection, limit) : [],
      ])
      const best = joined(near, wordy, limit).slice(0, limit)
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

  /**
   * The text as it may have been meant, where it has words that no document has. What finds them is loaded when it is needed.
   * @returns undefined if there is nothing to suggest
   */
  async didYouMean(text: string): Promise<string | undefined> {
    if (!this.#hasWords) return undefined
    const { didYouMean } = await import('../words/spelling.ts')
    const found = await recovering(this.#source, async () =>
      didYouMean(await this.#source.view(), text, yieldToEventLoop, { whileTyping: true }),
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

const loadWords = () => import('../words/word-retriever.ts')

async function byWords(view: View, text: string, selection: Selection, limit: number): Promise<RankedRecord[]> {
  const { WordRetriever } = await loadWords()
  return new WordRetriever(view, DOCUMENT_KEY, yieldToEventLoop).top({ kind: 'text', text }, selection, limit)
}

async function selectionOf(view: View, where: Where): Promise<Selection> {
  const { selectWhere } = await import('./select-where.ts')
  return selectWhere(view, where)
}

/** Of what only one of the searches found: its place behind the last one by meaning, or without any words. See `hybrid`. */
function joined(
  near: readonly RankedRecord[],
  wordy: readonly RankedRecord[],
  limit: number,
): { ref: RecordRef; score: number }[] {
  const hits = new Map<number, { ref: RecordRef; ordinal: number; place: number; words: number }>()
  for (const [place, { ref, ordinal }] of near.entries())
    hits.set(ordinal, { ref, ordinal, place, words: WITHOUT_WORDS })
  for (const { ref, ordinal, score } of wordy)
    hits.set(ordinal, { ref, ordinal, place: hits.get(ordinal)?.place ?? limit, words: score })
  return Array.from(hits.values(), ({ ref, ordinal, place, words }) => ({
    ref,
    ordinal,
    score: -(Math.log(1 + place) + words),
  })).sort((a, b) => b.score - a.score || a.ordinal - b.ordinal)
}
