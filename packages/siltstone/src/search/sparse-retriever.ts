/**
 * Sparse vectors, by reading the metadata of all records in slices: no index, exact by definition. Only records that share
 * a dimension with the query are found.
 *
 * The first pass counts the statistics of IDF over all live records; the second one scores the admitted records. Both keep
 * nothing but the counters and the best records so far.
 */
import { Nearest } from '../kernels/nearest.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { KnnQuery } from '../model/search.ts'
import type { SparseVector } from '../model/record.ts'
import { Pacer, type Pause } from '../pacer.ts'
import { select } from '../query/select.ts'
import type { Selection } from '../query/selection.ts'
import { isSparseVector } from '../records/metadata.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import { SLICE_ROWS, slicesOf } from './selection-slices.ts'
import type { RankedRecord, Retriever } from './retriever.ts'
import { sparseWeights } from '../words/score.ts'
import { sparseScore } from './sparse-score.ts'

/** Metadata characters between two pauses. */
const PAUSE_AFTER = 500_000

type SparseQuery = Extract<KnnQuery, { kind: 'sparse' }>

/** Sparse vectors of one key. */
export class SparseRetriever implements Retriever<SparseQuery> {
  readonly #view: View
  readonly #key: string
  readonly #pause: Pause

  constructor(view: View, key: string, pause: Pause) {
    this.#view = view
    this.#key = key
    this.#pause = pause
  }

  async top(query: SparseQuery, admitted: Selection, limit: number): Promise<RankedRecord[]> {
    const { indices } = query
    if (limit === 0 || indices.length === 0) return []
    const weights = sparseWeights(query.values, query.idf === true ? await this.#statistics(indices) : undefined)
    const best = new Best(this.#view, limit)
    for await (const slice of this.#vectors(admitted)) {
      const scored: { ref: RecordRef; score: number }[] = []
      for (const { ref, vector } of slice) {
        const score = sparseScore(indices, weights, vector)
        if (score !== undefined && best.mayEnter(score)) scored.push({ ref, score })
      }
      await best.offer(scored)
    }
    return best.sorted()
  }

  /** How many live records there are, and how many of them have each of the dimensions. */
  async #statistics(indices: readonly number[]): Promise<{ records: number; having: number[] }> {
    const places = new Map(indices.map((index, i) => [index, i]))
    const having = indices.map(() => 0)
    for await (const slice of this.#vectors(await select(this.#view, undefined, this.#pause)))
      for (const { vector } of slice)
        for (const index of vector.indices) {
          const place = places.get(index)
          if (place !== undefined) having[place] = (having[place] as number) + 1
        }
    return { records: this.#view.liveRecords, having }
  }

  async *#vectors(selection: Selection): AsyncGenerator<{ ref: RecordRef; vector: SparseVector }[]> {
    const pacer = new Pacer(PAUSE_AFTER, this.#pause)
    for (const refs of slicesOf(selection)) {
      const texts = await this.#view.metadatas(refs)
      let characters = 0
      const slice: { ref: RecordRef; vector: SparseVector }[] = []
      for (const [i, text] of texts.entries()) {
        characters += text?.length ?? 0
        const vector = text === null ? undefined : this.#vectorOf(text)
        if (vector) slice.push({ ref: refs[i] as RecordRef, vector })
      }
      yield slice
      const due = pacer.spend(characters)
      if (due) await due
    }
  }

  #vectorOf(text: string): SparseVector | undefined {
    // Most records of most collections have no sparse vector.
    if (!text.includes('"indices"')) return undefined
    const value = parseForFilter(text).get(this.#key)
    return isSparseVector(value) ? value : undefined
  }
}

/** The best records so far. Ordinals are read only of those that may be among them. */
class Best {
  readonly #view: View
  readonly #limit: number
  readonly #nearest: Nearest
  #refs = new Map<number, RecordRef>()

  constructor(view: View, limit: number) {
    this.#view = view
    this.#limit = Math.min(limit, view.liveRecords)
    this.#nearest = new Nearest(this.#limit)
  }

  mayEnter(score: number): boolean {
    return score <= this.#nearest.bound
  }

  async offer(scored: readonly { ref: RecordRef; score: number }[]): Promise<void> {
    const ordinals = await this.#view.ordinals(scored.map(({ ref }) => ref))
    for (const [i, { ref, score }] of scored.entries()) {
      const ordinal = ordinals[i] as number
      this.#nearest.offer(score, ordinal)
      this.#refs.set(ordinal, ref)
    }
    if (this.#refs.size > 4 * this.#limit + SLICE_ROWS) {
      const kept = this.#nearest.sorted().map(({ tag }) => [tag, this.#refs.get(tag) as RecordRef] as const)
      this.#refs = new Map(kept)
    }
  }

  sorted(): RankedRecord[] {
    return this.#nearest
      .sorted()
      .map(({ distance, tag }) => ({ ref: this.#refs.get(tag) as RecordRef, ordinal: tag, score: distance }))
  }
}
