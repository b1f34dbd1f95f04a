/** Generated data: seeded points around seeded centres, with words and metadata like those of the passages. */
import { withBucket } from './bucket.ts'
import type { Dataset } from './dataset.ts'
import { matrixFile, readMatrix } from './matrix.ts'
import { SeededRandom } from './random.ts'

const CENTRES = 1_000
const SPREAD = 0.6
const QUERIES = 1_000
const SECTIONS = ['perl', 'libs', 'doc', 'games', 'python', 'net', 'utils', 'science', 'web', 'admin', 'java', 'text']
const WORDS = 'a program for reading files library of tools that shows data in small steps and keeps them safe'.split(
  ' ',
)

export function generateDataset(count: number, dimension = 384, seed = 1): Dataset {
  const key = `generated-${count}-${dimension}-seed${seed}`
  const centres = Array.from({ length: CENTRES }, (_, i) => unit(new SeededRandom(seed + i), dimension))
  const point = (index: number) => {
    const random = new SeededRandom(seed + 1_000_003 + index)
    return around(centres[random.below(CENTRES)] as Float32Array, random)
  }
  const matrix = readMatrix(matrixFile(key, count, dimension, point))
  const id = (row: number) => `generated#${row}`
  return {
    name: `${count} generated records (seed ${seed})`,
    key,
    dimension,
    count,
    id,
    row: (text) => Number(text.slice('generated#'.length)),
    vector: (row) => matrix.subarray(row * dimension, (row + 1) * dimension),
    document: (row) => words(new SeededRandom(seed + 7 + row)),
    metadata: (row) => {
      const random = new SeededRandom(seed + 13 + row)
      const section = SECTIONS[random.below(SECTIONS.length)] as string
      const fields = { section, installed_kb: random.below(10_000), passage: row % 7, multi_arch: row % 3 === 0 }
      return withBucket(id(row), JSON.stringify(fields))
    },
    queries: {
      key: `generated-queries-${dimension}-seed${seed}`,
      count: QUERIES,
      vector: (index) => point(-1 - index),
    },
  }
}

function unit(random: SeededRandom, dimension: number): Float32Array {
  return normalise(Float32Array.from({ length: dimension }, () => random.gaussian()))
}

function around(centre: Float32Array, random: SeededRandom): Float32Array {
  const deviation = SPREAD / Math.sqrt(centre.length)
  return normalise(centre.map((x) => x + deviation * random.gaussian()))
}

function normalise(vector: Float32Array): Float32Array {
  let squares = 0
  for (const x of vector) squares += x * x
  const factor = 1 / Math.sqrt(squares)
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) * factor
  return vector
}

function words(random: SeededRandom): string {
  return Array.from({ length: 20 + random.below(10) }, () => WORDS[random.below(WORDS.length)] as string).join(' ')
}
