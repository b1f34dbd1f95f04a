/** What the postings of one list add to a sum. */
import { MOST_IN_BOUND } from '../word-index/layout.ts'
import type { ListScoring } from './score.ts'
import type { IndexedSource } from './word-state.ts'

type ScoredSource = Pick<IndexedSource, 'lengths' | 'weights'>

const bits = new Uint32Array(1)
const float = new Float32Array(bits.buffer)

/** @param stored the bits of a 32-bit float */
export function floatOf(stored: number): number {
  bits[0] = stored
  return float[0] as number
}

/** What a text with a word adds. @param repetitions occurrences less 1 @param length words of the text */
export function wordPart(
  { weight, saturation, base, perWord }: Extract<ListScoring, { kind: 'words' }>,
  repetitions: number,
  length: number,
): number {
  const frequency = repetitions + 1
  return (weight * frequency) / (saturation * frequency + base + perWord * length)
}

/** Bounds what a posting of a block adds, from the bound that its list stores. At least 0, since a row may not have the term. */
export function boundOf(scoring: ListScoring, stored: number): number {
  if (scoring.kind === 'value') return Math.max(0, scoring.weight * floatOf(stored))
  const frequency = stored >>> 16
  const length = stored & MOST_IN_BOUND
  // More occurrences than a bound can say add at most this.
  if (frequency === MOST_IN_BOUND) return scoring.saturation === 1 ? scoring.weight : Number.POSITIVE_INFINITY
  return Math.max(0, wordPart(scoring, frequency - 1, length))
}

/** What the posting of a row adds. */
export function partAt(scoring: ListScoring, source: ScoredSource, row: number, payload: number): number {
  if (scoring.kind === 'words') return wordPart(scoring, payload, (source.lengths?.[row] as number) - 1)
  return scoring.weight * valueOf(source, payload)
}

/** Computes what the postings from `start` up to `end` add. @param payloads of these @param parts is filled from `start` on */
export function partsOf(
  scoring: ListScoring,
  source: ScoredSource,
  rows: Uint32Array,
  payloads: Uint32Array,
  start: number,
  end: number,
  parts: Float64Array,
): void {
  if (scoring.kind === 'words') {
    const words = source.lengths as NonNullable<ScoredSource['lengths']>
    const { weight, saturation, base, perWord } = scoring
    for (let i = start; i < end; i++) {
      const frequency = (payloads[i - start] as number) + 1
      // As in `wordPart`, which is not called here for speed.
      parts[i] =
        (weight * frequency) / (saturation * frequency + base + perWord * ((words[rows[i] as number] as number) - 1))
    }
    return
  }
  for (let i = start; i < end; i++) parts[i] = scoring.weight * valueOf(source, payloads[i - start] as number)
}

function valueOf({ weights }: ScoredSource, payload: number): number {
  return weights ? (weights[payload] as number) : floatOf(payload)
}
