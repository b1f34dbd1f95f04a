/**
 * Maximal marginal relevance (Carbonell & Goldstein, "The use of MMR", SIGIR 1998): records are chosen one after another, each time
 * the one with the largest λ · relevance − (1 − λ) · likeness.
 *
 * *Relevance* is the score, turned around and scaled to 0 … 1 over the candidates; 1 if all scores are equal. *Likeness* is the
 * largest cosine between the vector of the record and that of one that was chosen before; 0 before the first, and for a vector
 * of length 0. Of equal records the one with the better score is chosen. All in 64 bits.
 */
import type { Diversity } from '../model/search.ts'
import { Pacer, type Pause } from '../pacer.ts'

/** Numbers that are multiplied between two pauses: some 10 ms. */
const PAUSE_AFTER = 10_000_000

/**
 * @param scores ascending
 * @param count how many to choose
 * @returns places among the candidates, in the order in which they were chosen
 */
export async function mostDiverse(
  scores: readonly number[],
  vectors: readonly (ArrayLike<number> | null)[],
  { lambda }: Pick<Diversity, 'lambda'>,
  count: number,
  pause: Pause,
): Promise<number[]> {
  const [first = 0, last = 0] = [scores[0], scores.at(-1)]
  const relevance = scores.map((score) => (last === first ? 1 : (last - score) / (last - first)))
  const norms = vectors.map((vector) => (vector ? Math.sqrt(dot(vector, vector)) : 0))
  const likeness = new Float64Array(scores.length)
  const open = new Set(scores.keys())
  const chosen: number[] = []
  const pacer = new Pacer(PAUSE_AFTER, pause)
  while (chosen.length < count && open.size > 0) {
    let best = -1
    let most = Number.NEGATIVE_INFINITY
    for (const place of open) {
      const value = lambda * (relevance[place] as number) - (1 - lambda) * (likeness[place] as number)
      if (value <= most) continue
      most = value
      best = place
    }
    open.delete(best)
    chosen.push(best)
    const vector = vectors[best]
    for (const place of open) {
      const other = vectors[place]
      const norm = (norms[best] as number) * (norms[place] as number)
      const cosine = vector && other && norm > 0 ? dot(vector, other) / norm : 0
      if (chosen.length === 1 || cosine > (likeness[place] as number)) likeness[place] = cosine
    }
    const due = pacer.spend(open.size * (vector?.length ?? 1))
    if (due) await due
  }
  return chosen
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}
