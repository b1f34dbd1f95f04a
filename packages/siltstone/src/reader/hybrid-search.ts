/**
 * What a search box asks: the records nearest to a text by meaning, and the best by words, in one ranking. It is the arithmetic of
 * `hybrid` in the search API, without the grammar of rank expressions, which a page would have to load. What searches by words, and what
 * filters, is loaded when it is needed.
 *
 * Lists are longer than the answer at no cost in bytes: the lists of the clusters give estimates of the distances of all that may be
 * near, and the lists of the words score each of these, so that none counts as one without the words because it is not among the best by words.
 * Vectors and texts are read of the records that both together put first. In the order of rounds of requests that depend on one another:
 *
 * 1. tokens of the text, and where the lists of its words lie;
 * 2. lists of clusters, and lists of the words;
 * 3. vectors and texts of the records that are expected to be the best.
 *
 * A record in the answer whose text was not expected takes a fourth. Equal records are in the order in which they lie in the folder.
 */
import { yieldToEventLoop } from '#codec'
import { isSiltstoneError } from '../errors.ts'
import { nameOfRef, type RecordRef, type View } from '../log/view.ts'
import type { Space } from '../model/collection.ts'
import { DOCUMENT_KEY, isTextIndexed, textFieldOf, type StoredSchema } from '../model/schema.ts'
import { distancesOf, nearest, type RankedRef } from '../query/nearest.ts'
import { everything, type Selection } from '../query/selection.ts'
import { HYBRID_LIST, joinedScore, WITHOUT_WORDS } from '../search/hybrid.ts'
import type { Found } from '../words/word-retriever.ts'
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
   * Best first. A collection without an embedder is searched by words alone, one whose schema disables words by meaning alone.
   * @throws SiltstoneError `invalid` (embedder-missing) when it has neither, and as `ReadOnlyCollection.search`
   */
  async search(text: string, limit: number, where?: Where): Promise<HybridHit[]> {
    if (limit === 0) return []
    return recovering(this.#source, async () => {
      const view = await this.#source.view()
      const selection = where ? await selectionOf(view, where, this.#source.described.schema) : everything(view)
      const asked = { view, text, selection, limit }
      const finding = this.#hasWords ? this.#byWords(asked) : undefined
      const [meaning, words] = await Promise.all([
        this.#hasMeaning || !this.#hasWords ? this.#byMeaning(asked, finding) : [],
        finding,
      ])
      const best = joined(this.#source.described.space, meaning, words).slice(0, limit)
      const {
        ids,
        documents = [],
        metadatas = [],
      } = await view.columns(
        best.map(({ ref }) => ref),
        COLUMNS,
      )
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

  async #byWords({ view, text, selection, limit }: Asked): Promise<Found> {
    const { bestByWords } = await loadWords()
    const found = await bestByWords(view, { text, ...this.#language }, selection, HYBRID_LIST, yieldToEventLoop)
    prepareTexts(view, found.records.slice(0, limit))
    return found
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

  /** With distances, or estimates of those of records that are not worth measuring. */
  async #byMeaning(asked: Asked, finding: Promise<Found> | undefined): Promise<RankedRef[]> {
    const { view, text, selection, limit } = asked
    let vectors: Float32Array[]
    try {
      vectors = await this.#source.embed([text])
    } catch (error) {
      if (!this.#hasWords || !isSiltstoneError(error, 'invalid') || error.code !== 'embedder-missing') throw error
      this.#hasMeaning = false
      return []
    }
    const { space } = this.#source.described
    const effort = finding ? { ...this.#source.effort, recall: RECALL_BESIDE_WORDS } : this.#source.effort
    const vector = vectors[0] as Float32Array
    let near: readonly RankedRef[] = []
    const take = async (candidates: readonly RankedRef[]) => {
      const words = await finding
      const expected = joined(space, candidates, words)
      const refs = (count: number) => expected.slice(0, Math.ceil(count)).map(({ ref }) => ref)
      const wanted = words ? refs(limit * MEASURED_SHARE) : candidates.map(({ ref }) => ref)
      const [measured] = await Promise.all([
        distancesOf(view, space, vector, wanted, yieldToEventLoop),
        view.columns(refs(limit * EXPECTED_SHARE), COLUMNS),
      ])
      const known = new Set(measured.map(({ ref }) => nameOfRef(ref)))
      near = [...measured, ...candidates.filter(({ ref }) => !known.has(nameOfRef(ref)))]
    }
    const request = {
      vector,
      k: limit,
      kept: HYBRID_LIST,
      field: 'query',
      handOver: { include: COLUMNS, take },
      ...(effort && { search: effort }),
    }
    const found = await nearest(view, space, request, selection, yieldToEventLoop)
    return [...found, ...near]
  }
}

interface Asked {
  view: View
  text: string
  selection: Selection
  limit: number
}

const COLUMNS = { documents: true, metadatas: true } as const
/**
 * Where words are searched, too, fewer lists of clusters are read: what they miss is mostly found by words, or not among the best.
 * docs/decisions/0016-published-folders.md has what was compared.
 */
const RECALL_BESIDE_WORDS = 0.6
/** Of the records that are expected to be the best, so many times as many vectors are read as are answered, and so many texts. */
const MEASURED_SHARE = 1.5
const EXPECTED_SHARE = 1.25

const loadWords = () => import('../words/best-by-words.ts')

async function selectionOf(view: View, where: Where, schema: StoredSchema | null): Promise<Selection> {
  const { selectWhere } = await import('./select-where.ts')
  return selectWhere(view, where, schema)
}

/** Reads where the texts of some records lie, while the search by meaning still reads. A failure is told when they are read. */
function prepareTexts(view: View, records: readonly Scored[]): void {
  const rows = Map.groupBy(
    records.flatMap(({ ref }) => (ref.changed === null ? [ref.row] : [])),
    ({ segment }) => segment,
  )
  for (const [segment, own] of rows)
    view.base.segments[segment]?.reader
      .prepareRows(own.map(({ row }) => row).sort((a, b) => a - b))
      .catch(() => undefined)
}

interface Scored {
  ref: RecordRef
  score: number
}

/**
 * @param near with their distances or estimates of these
 * @returns the best first; lower scores are better
 */
function joined(space: Space, near: readonly RankedRef[], words: Found | undefined): Scored[] {
  const sorted = near.toSorted((a, b) => a.distance - b.distance)
  const known = new Set(sorted.map(({ ref }) => nameOfRef(ref)))
  const far = (words?.records ?? []).filter(({ ref }) => !known.has(nameOfRef(ref)))
  const byWords = words?.scores(sorted.map(({ ref }) => ref))
  // What was not looked at by meaning is at least as far as what was.
  const farthest = sorted.at(-1)?.distance ?? 0
  const position = Math.max(HYBRID_LIST, sorted.length)
  const join = joinedBy(space, words?.records[0]?.score ?? WITHOUT_WORDS)
  return [
    ...sorted.map(({ ref, distance }, i) => ({ ref, score: join(distance, i, byWords?.[i] ?? WITHOUT_WORDS) })),
    ...far.map(({ ref, score }) => ({ ref, score: join(farthest, position, score) })),
  ].sort((a, b) => a.score - b.score || compareRefs(a.ref, b.ref))
}

/**
 * Cosine distances and BM25 as a share of the best one, in equal parts; a distance of other spaces may be any number, so its place counts.
 * (Bruch, Gai and Ingber, "An analysis of fusion functions for hybrid retrieval", ACM TOIS 2023.)
 * @param best score by words
 */
function joinedBy(space: Space, best: number): (distance: number, position: number, words: number) => number {
  if (space !== 'cosine') return (_, position, words) => joinedScore(position, words)
  const most = WITHOUT_WORDS - best
  // Estimates may be below 0.
  return (distance, _, words) => Math.max(0, distance) - (most > 0 ? (WITHOUT_WORDS - words) / most : 0)
}

function compareRefs(a: RecordRef, b: RecordRef): number {
  if (a.changed !== null || b.changed !== null) return 0
  return a.row.segment - b.row.segment || a.row.row - b.row.row
}
