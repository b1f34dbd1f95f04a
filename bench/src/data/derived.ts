/**
 * More rows than there are passages: a convex mix of a passage and one of its 10 nearest (weight 0.3 to 0.7), Gaussian
 * noise of 10 % of their distance, normalised. It keeps the neighbourhoods of real text, which uniform noise has not.
 * Rows are made when they are asked for, each from its own seed, so a million of them need no memory.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { NEIGHBOURS_PROGRAM, PYTHON, SCRATCH } from '../places.ts'
import type { Dataset } from './dataset.ts'
import { exactNeighbours } from './exact.ts'
import { SeededRandom } from './random.ts'

const NEIGHBOURS = 10
const NOISE = 0.1

/** The first rows are the passages themselves. */
export function deriveDataset(passages: Dataset, count: number, seed = 1): Dataset {
  const { dimension } = passages
  const neighbours = count > passages.count ? neighboursOf(passages) : new Uint32Array()
  const parent = (row: number) => (row < passages.count ? row : row % passages.count)
  const vector = (row: number) =>
    row < passages.count
      ? passages.vector(row)
      : derive(passages, neighbours, parent(row), new SeededRandom(seed + row))
  const data: Dataset = {
    name: `${count} records (passages and mixes of neighbours, seed ${seed})`,
    dimension,
    count,
    id: (row) => (row < passages.count ? passages.id(row) : `${passages.id(parent(row))}+${row}`),
    vector,
    document: (row) => passages.document(parent(row)),
    metadata: (row) => passages.metadata(parent(row)),
    queries: {
      count: passages.queries.count,
      vector: (index) => passages.queries.vector(index),
      neighbours: (index, k) => exactNeighbours(data, [passages.queries.vector(index)], k)[0] as number[],
    },
  }
  return data
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

/** Computed once, by numpy: four minutes for 100,000 passages. */
function neighboursOf(passages: Dataset): Uint32Array {
  const path = `${SCRATCH}/neighbours-${passages.count}.u32`
  if (!existsSync(path)) {
    if (!existsSync(PYTHON)) throw new Error('Run bench/setup.sh first: derived rows need its numpy, once.')
    mkdirSync(dirname(path), { recursive: true })
    const vectors = `${SCRATCH}/vectors-${passages.count}.f32`
    const matrix = new Float32Array(passages.count * passages.dimension)
    for (let row = 0; row < passages.count; row++) matrix.set(passages.vector(row), row * passages.dimension)
    writeFileSync(vectors, Buffer.from(matrix.buffer))
    execFileSync(PYTHON, [NEIGHBOURS_PROGRAM, vectors, path, String(passages.dimension)], { stdio: 'inherit' })
  }
  const bytes = readFileSync(path)
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
}
