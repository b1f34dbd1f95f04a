/**
 * More rows than there are passages: a convex mix of a passage and one of its 10 nearest (weight 0.3 to 0.7), Gaussian
 * noise of 10 % of their distance, normalised. It keeps the neighbourhoods of real text, which uniform noise does not have.
 * Each row has its own seed. Computed once and kept in a file.
 */
import { withBucket } from './bucket.ts'
import type { Dataset } from './dataset.ts'
import { nearestOfEach } from './exact.ts'
import { matrixFile, matrixRows } from './matrix.ts'
import { SeededRandom } from './random.ts'

const NEIGHBOURS = 10
const NOISE = 0.1

/** The first rows are the passages themselves. */
export function deriveDataset(passages: Dataset, count: number, seed = 1): Dataset {
  const { dimension } = passages
  const key = `derived-${count}-seed${seed}`
  let neighbours: Uint32Array | undefined
  const parent = (row: number) => row % passages.count
  const path = matrixFile(key, count, dimension, (row) => {
    if (row < passages.count) return passages.vector(row)
    neighbours ??= nearestOfEach(passages, NEIGHBOURS)
    return derive(passages, neighbours, parent(row), new SeededRandom(seed + row))
  })
  const vector = matrixRows(path, dimension)
  const id = (row: number) => (row < passages.count ? passages.id(row) : `${passages.id(parent(row))}+${row}`)
  return {
    name: `${count} records (passages and mixes of neighbours, seed ${seed})`,
    key,
    dimension,
    count,
    id,
    row: (text) => {
      const at = text.lastIndexOf('+')
      const row = at < 0 ? Number.NaN : Number(text.slice(at + 1))
      return Number.isInteger(row) && id(row) === text ? row : passages.row(text)
    },
    vector,
    document: (row) => passages.document(parent(row)),
    // The parent's metadata, except the bucket, which depends on the id.
    metadata: (row) => withBucket(id(row), passages.metadata(parent(row)).replace(/,"bucket":\d+}$/, '}')),
    queries: passages.queries,
  }
}

function derive(passages: Dataset, neighbours: Uint32Array, first: number, random: SeededRandom): Float32Array {
  const a = passages.vector(first)
  const b = passages.vector(neighbours[first * NEIGHBOURS + random.below(NEIGHBOURS)] as number)
  const weight = 0.3 + 0.4 * random.next()
  let distance = 0
  for (let i = 0; i < a.length; i++) distance += ((a[i] as number) - (b[i] as number)) ** 2
  const deviation = (NOISE * Math.sqrt(distance)) / Math.sqrt(a.length)
  const mixed = new Float32Array(a.length)
  let squares = 0
  for (let i = 0; i < a.length; i++) {
    const x = weight * (a[i] as number) + (1 - weight) * (b[i] as number) + deviation * random.gaussian()
    mixed[i] = x
    squares += x * x
  }
  const factor = 1 / Math.sqrt(squares)
  for (let i = 0; i < mixed.length; i++) mixed[i] = (mixed[i] as number) * factor
  return mixed
}
