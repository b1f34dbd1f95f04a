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

  /** Reads what the words of a text need, for a search of it, or of a longer one, that follows. @throws as `search` */
  async expect(text: string): Promise<void> {
    const view = await this.#source.view()
    await Promise.all([
      this.#hasMeaning && this.#source.embed([text]),
      this.#hasWords &&
        loadWords().then(({ readWords }) => readWords(view, { text, ...this.#language }, yieldToEventLoop)),
    ])
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
      const best = (await joined(view, lists, limit)).slice(0, limit)
      const refs = best.map(({ ref }) => ref)
      const { ids, documents = [], metadatas = [] } = await view.columns(refs, COLUMNS)
      return best.map(({ score }, i) => ({
        id: ids[i] as string,
        document: documents[i] ?? null,
        metadata: metadatas[i] ?? null,
        score: -score,
      }))
    })
  }

  /** Records that match, in the order of insertion, all with the same score. What finds them is loaded when it is needed. */
  async list(limit: number, where?: Where): Promise<HybridHit[]> {
    const { listWhere } = await import('./list-where.ts')
    return recovering(this.#source, async () => {
      const { ids, documents, metadatas } = await listWhere(await this.#source.view(), where, limit)
      return ids.map((id, i) => ({
        id,
        document: documents?.[i] ?? null,
        metadata: metadatas?.[i] ?? null,
        score: 0,
      }))
    })
  }

  async #byWords(view: View, text: string, selection: Selection, limit: number): Promise<RankedRecord[]> {
    const { bestByWords } = await loadWords()
    // Most of them will be answered.
    const whenFound = async (refs: readonly RecordRef[]) => void (await view.columns(refs.slice(0, limit), COLUMNS))
    return bestByWords(view, { text, ...this.#language }, selection, limit, yieldToEventLoop, whenFound)
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

  async #byMeaning(view: View, text: string, selection: Selection, limit: number): Promise<Scored[]> {
    let vectors: Float32Array[]
    try {
      vectors = await this.#source.embed([text])
    } catch (error) {
      if (!this.#hasWords || !isSiltstoneError(error, 'invalid') || error.code !== 'embedder-missing') throw error
      this.#hasMeaning = false
      return []
    }
    const { described, effort } = this.#source
    const ahead = { include: COLUMNS, records: Math.ceil(limit * AHEAD_SHARE) }
    const asked = {
      vector: vectors[0] as Float32Array,
      k: limit,
      field: 'query',
      ahead,
      ...(effort && { search: effort }),
    }
    const found = await nearest(view, described.space, asked, selection, yieldToEventLoop)
    return inOrder(
      view,
      found.map(({ ref, distance }) => ({ ref, score: distance })),
    )
  }
}

const COLUMNS = { documents: true, metadatas: true } as const
/** Of the likeliest by meaning, so many of the answer are read before their distances are known. */
const AHEAD_SHARE = 0.5

const loadWords = () => import('../words/best-by-words.ts')

async function selectionOf(view: View, where: Where, schema: StoredSchema | null): Promise<Selection> {
  const { selectWhere } = await import('./select-where.ts')
  return selectWhere(view, where, schema)
}

interface Scored {
  ref: RecordRef
  score: number
}

/** By score, the least first; the order of insertion is looked up for equal ones alone, since that may be a round of reads. */
async function inOrder(view: View, records: readonly Scored[]): Promise<Scored[]> {
  const sorted = records.toSorted((a, b) => a.score - b.score)
  const equal = sorted.filter(({ score }, i) => score === sorted[i - 1]?.score || score === sorted[i + 1]?.score)
  if (equal.length === 0) return sorted
  const ordinals = await view.ordinals(equal.map(({ ref }) => ref))
  const ordinalOf = new Map(equal.map((one, i) => [one, ordinals[i] as number]))
  return sorted.sort((a, b) => a.score - b.score || (ordinalOf.get(a) ?? 0) - (ordinalOf.get(b) ?? 0))
}

/** The same for the same record of a view. */
const nameOf = (ref: RecordRef) => (ref.changed === null ? `${ref.row.segment} ${ref.row.row}` : ref.changed)

/** @param lists by meaning and by words, each of at most `limit` records @returns the best first; lower scores are better */
function joined(
  view: View,
  [meaning, words]: readonly [readonly Scored[], readonly Scored[]],
  limit: number,
): Promise<Scored[]> {
  const hits = new Map<unknown, { ref: RecordRef; position: number; words: number }>()
  for (const [position, { ref }] of meaning.entries()) hits.set(nameOf(ref), { ref, position, words: WITHOUT_WORDS })
  for (const { ref, score } of words) {
    const hit = hits.get(nameOf(ref))
    if (hit) hit.words = score
    else hits.set(nameOf(ref), { ref, position: limit, words: score })
  }
  return inOrder(
    view,
    Array.from(hits.values(), ({ ref, position, words: byWords }) => ({ ref, score: joinedScore(position, byWords) })),
  )
}
