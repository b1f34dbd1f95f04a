/**
 * Queries to calibrate an inverted file with, made from a sample of its rows. Real queries are seldom drawn from where the
 * rows are, so beside rows there are two kinds of vectors that lie elsewhere (docs/decisions/0012 has what was compared).
 */
import { crc32 } from '#codec'
import { seededRandom } from '../../ports/seeded-random.ts'
import type { IndexedSpace } from '../directory.ts'
import { type Assigner, BATCH } from './assign.ts'
import type { Clustering } from './clustering.ts'
import { Points } from './points.ts'
import type { Work } from './work.ts'

/** `row`: a row. `shifted`: a row moved by the residual of another. `between`: the middle of two rows. */
export type PseudoKind = 'row' | 'shifted' | 'between'

const COUNTS: Record<PseudoKind, number> = { row: 300, shifted: 225, between: 225 }
/** From this many rows on, there are as many queries as `COUNTS` says. */
const ENOUGH_ROWS = 20_000
const LEAST_SHARE = 0.2

export interface PseudoQueries {
  kinds: readonly PseudoKind[]
  points: Points
}

/**
 * Number of rows of the sample that are kept from the training, for queries to be made from: a centroid is nearer to a row
 * that it was trained on than to any other, so such rows would make bad queries.
 * @param rows of the whole segment
 */
export function heldOut(rows: number): number {
  return Math.ceil(COUNTS.row * shareOf(rows))
}

/**
 * Divides the rows of a sample. Those held out differ from one another, as long as there are enough that do: most rows may be copies of a
 * few, and queries for these are answered by any of them.
 * @param most number to hold out; at most a tenth of all is
 */
export function holdOut(sample: Points, most: number): { held: Uint32Array; trained: Uint32Array } {
  const { count } = sample
  const wanted = Math.min(most, Math.floor(count / 10))
  const all = Uint32Array.from({ length: count }, (_, i) => i)
  if (wanted === 0) return { held: all, trained: all }
  const random = seededRandom(count)
  const seen = new Set<string>()
  const held = new Set<number>()
  const copies: number[] = []
  const order = all.slice()
  for (let i = 0; i < count && held.size < wanted; i++) {
    const other = i + Math.floor(random.next() * (count - i))
    const row = order[other] as number
    order[other] = order[i] as number
    order[i] = row
    const content = contentOf(sample, row)
    if (seen.has(content)) copies.push(row)
    else held.add(row)
    seen.add(content)
  }
  for (const row of copies.slice(0, wanted - held.size)) held.add(row)
  return { held: Uint32Array.from(held).sort(), trained: all.filter((i) => !held.has(i)) }
}

/** Equal for equal rows, and hardly ever for others. */
function contentOf(sample: Points, row: number): string {
  const { dimension, scales } = sample
  const values = sample.rows().subarray(row * dimension, (row + 1) * dimension)
  return `${scales[row]}/${crc32(new Uint8Array(values.buffer, values.byteOffset, dimension))}`
}

function shareOf(rows: number): number {
  return Math.min(1, Math.max(LEAST_SHARE, rows / ENOUGH_ROWS))
}

/** @param rows of the whole segment @param assigner of `clustering` */
export async function drawPseudoQueries(
  work: Work,
  sample: Points,
  {
    clustering,
    assigner,
    space,
    rows,
    held,
  }: { clustering: Clustering; assigner: Assigner; space: IndexedSpace; rows: number; held: Uint32Array },
): Promise<PseudoQueries> {
  const { dimension } = sample
  const random = seededRandom(rows)
  const share = shareOf(rows)
  const kinds = (['row', 'shifted', 'between'] as const).flatMap((kind) =>
    new Array<PseudoKind>(Math.ceil(COUNTS[kind] * share)).fill(kind),
  )
  const draw = () => held[Math.floor(random.next() * held.length)] as number
  const pairs = kinds.map((kind, i): [number, number] => [
    kind === 'row' ? (held[i % held.length] as number) : draw(),
    draw(),
  ])
  const others = Uint32Array.from(pairs, ([, other]) => other)
  const floats = new Float32Array(kinds.length * dimension)
  for (let start = 0; start < kinds.length; start += BATCH) {
    const members = others.subarray(start, start + BATCH)
    const nearest = await assigner.nearest({ points: sample, members })
    for (let i = 0; i < members.length; i++) {
      const at = start + i
      const into = floats.subarray(at * dimension, (at + 1) * dimension)
      const cluster = nearest.clusters[i * nearest.length] as number
      const [one, other] = pairs[at] as [number, number]
      const centroid = clustering.centroids
      const residual = { points: sample, row: other, minus: { points: centroid, row: cluster } }
      mix(into, kinds[at] as PseudoKind, { points: sample, row: one }, residual)
      if (space === 'cosine' && kinds[at] !== 'row') normalise(into)
    }
  }
  const points = new Points(work, kinds.length, dimension)
  points.set(floats)
  return { kinds, points }
}

interface One {
  points: Points
  row: number
}

function mix(into: Float32Array, kind: PseudoKind, one: One, other: One & { minus: One }): void {
  addTo(into, one, kind === 'between' ? 0.5 : 1)
  if (kind === 'row') return
  addTo(into, other, kind === 'between' ? 0.5 : 1)
  if (kind === 'shifted') addTo(into, other.minus, -1)
}

function addTo(into: Float32Array, { points, row }: One, factor: number): void {
  const { dimension } = points
  const scale = (points.scales[row] as number) * factor
  const values = points.rows()
  for (let d = 0, from = row * dimension; d < dimension; d++, from++)
    into[d] = (into[d] as number) + (values[from] as number) * scale
}

function normalise(vector: Float32Array): void {
  let square = 0
  for (const x of vector) square += x * x
  if (square === 0) return
  const factor = 1 / Math.sqrt(square)
  for (let d = 0; d < vector.length; d++) vector[d] = (vector[d] as number) * factor
}
