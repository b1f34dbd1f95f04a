/**
 * Vectors of different kinds for measurements of recall: dimension, space, shape of the data, and where queries come from.
 * Nothing in the product was tuned to any of them.
 */
import { bucketOf } from './bucket.ts'
import { HELD_OUT_KINDS } from './held-out-kinds.ts'
import { at, gaussian, type Kind, mixed, QUERIES, ROWS, tail, zipf } from './kind.ts'
import { MORE_KINDS } from './more-kinds.ts'
import type { SeededRandom } from './random.ts'

/** 3,000 clusters of very unequal size and width. */
const clustered: Kind = {
  name: 'clusters',
  space: 'l2',
  dimension: 64,
  queries: 'a third each: as the rows, from rare clusters, middles of two rows',
  make: (_, seed) => {
    const centres = 3_000
    const centre = (i: number) => gaussian(at(seed, i), 64)
    const width = (i: number) => 0.15 + 0.5 * at(seed, 7_000 + i).next()
    const around = (i: number, random: SeededRandom) => mixed(centre(i), gaussian(random, 64, width(i)), 1, 1)
    const row = (index: number) => {
      const random = at(seed, ROWS + index)
      return around(zipf(random, centres), random)
    }
    const query = (index: number) => {
      const random = at(seed, QUERIES + index)
      if (index % 3 === 0) return around(zipf(random, centres), random)
      if (index % 3 === 1) return around(centres / 2 + random.below(centres / 2), random)
      return mixed(row(random.below(10_000)), row(random.below(10_000)), 0.5, 0.5)
    }
    return { row, query }
  },
}

/** A smooth surface of twelve dimensions in many, with a little noise. */
const surface: Kind = {
  name: 'low intrinsic dimension',
  space: 'cosine',
  dimension: 768,
  queries: 'from the same surface',
  make: (_, seed) => {
    const inner = 12
    const first = Array.from({ length: 48 }, (_unused, i) => gaussian(at(seed, i), inner, 1 / Math.sqrt(inner)))
    const second = Array.from({ length: 768 }, (_unused, i) => gaussian(at(seed, 1_000 + i), 48, 1 / Math.sqrt(48)))
    const product = (rows: Float32Array[], x: Float32Array) =>
      Float32Array.from(rows, (row) => row.reduce((sum, value, d) => sum + value * (x[d] as number), 0))
    const point = (random: SeededRandom) => {
      const hidden = product(first, gaussian(random, inner, 1.5)).map(Math.tanh)
      return mixed(product(second, hidden), gaussian(random, 768, 0.03), 1, 1)
    }
    return { row: (index) => point(at(seed, ROWS + index)), query: (index) => point(at(seed, QUERIES + index)) }
  },
}

/** Like word vectors: variances that fall as a power of the dimension, heavy tails, frequent words near the middle. */
const words: Kind = {
  name: 'like word vectors',
  space: 'cosine',
  dimension: 100,
  queries: 'rows with noise of half their length',
  make: (_, seed) => {
    const topics = 800
    const scale = Float32Array.from({ length: 100 }, (_unused, d) => (1 + d) ** -0.35)
    const topic = (i: number) => gaussian(at(seed, i), 100).map((x, d) => x * (scale[d] as number))
    const row = (index: number) => {
      const random = at(seed, ROWS + index)
      const own = gaussian(random, 100).map((x, d) => x * (scale[d] as number))
      const factor = tail(random, 3)
      return mixed(topic(zipf(random, topics)), own, 0.2 + 0.8 * random.next(), Math.min(5, factor))
    }
    const query = (index: number) => {
      const random = at(seed, QUERIES + index)
      const one = row(random.below(10_000))
      const length = Math.hypot(...one)
      return mixed(one, gaussian(random, 100, (0.5 * length) / 10), 1, 1)
    }
    return { row, query }
  },
}

/** Independent coordinates: no neighbourhoods. */
const uniform: Kind = {
  name: 'uniform',
  space: 'l2',
  dimension: 24,
  queries: 'uniform too',
  make: (_, seed) => {
    const point = (random: SeededRandom) => Float32Array.from({ length: 24 }, () => random.next())
    return { row: (index) => point(at(seed, ROWS + index)), query: (index) => point(at(seed, QUERIES + index)) }
  },
}

/** A quarter of the rows is distinct; some are there thousands of times. Lengths differ by a factor of three. */
const duplicates: Kind = {
  name: 'duplicates, unequal lengths',
  space: 'ip',
  dimension: 128,
  queries: 'half are rows, half lie between two rows',
  make: (count, seed) => {
    const distinct = Math.max(100, Math.floor(count / 4))
    const one = (i: number) => {
      const random = at(seed, 90_000 + i)
      const centre = gaussian(at(seed, i % 500), 128)
      const vector = mixed(centre, gaussian(random, 128, 0.7), 1, 1)
      const length = 0.5 + random.next()
      return vector.map((x) => x * length)
    }
    const row = (index: number) => {
      const random = at(seed, ROWS + index)
      return one(random.next() < 0.7 ? random.below(distinct) : zipf(random, distinct))
    }
    const query = (index: number) => {
      const random = at(seed, QUERIES + index)
      if (index % 2 === 0) return one(random.below(distinct))
      return mixed(one(random.below(distinct)), one(random.below(distinct)), 0.5, 0.5)
    }
    return { row, query }
  },
}

/** Not negative, sparse, far from the origin: like histograms of gradients. */
const histograms: Kind = {
  name: 'like histograms',
  space: 'l2',
  dimension: 128,
  queries: 'as the rows',
  make: (_, seed) => {
    const shapes = 2_000
    const shape = (i: number) => gaussian(at(seed, i), 128)
    const point = (random: SeededRandom) => {
      const values = mixed(shape(random.below(shapes)), gaussian(random, 128), 1, 0.8)
      return values.map((x) => Math.min(255, Math.floor(60 * Math.max(0, x) ** 1.5)))
    }
    return { row: (index) => point(at(seed, ROWS + index)), query: (index) => point(at(seed, QUERIES + index)) }
  },
}

/** Rows of some topics; queries are shorter texts of the same topics, which lie apart from all rows, as in use. */
const apart: Kind = {
  name: 'queries apart from rows',
  space: 'cosine',
  dimension: 256,
  queries: 'another mean, more noise',
  make: (_, seed) => {
    const topics = 5_000
    const inner = 40
    const basis = Array.from({ length: inner }, (_unused, i) => gaussian(at(seed, i), 256, 1 / 16))
    const shift = gaussian(at(seed, 99), 256, 0.6 / 16)
    const combine = (weights: Float32Array) => {
      const sum = new Float32Array(256)
      basis.forEach((one, i) => one.forEach((x, d) => (sum[d] = (sum[d] as number) + x * (weights[i] as number))))
      return sum
    }
    const around = (random: SeededRandom, spread: number) => {
      const topic = gaussian(at(seed, 1_000 + random.below(topics)), inner)
      return combine(mixed(topic, gaussian(random, inner, spread), 1 / Math.sqrt(inner), 1 / Math.sqrt(inner)))
    }
    const noise = (random: SeededRandom, size: number) => gaussian(random, 256, size / 16)
    const row = (index: number) => {
      const random = at(seed, ROWS + index)
      return mixed(around(random, 0.5), noise(random, 0.3), 1, 1)
    }
    const query = (index: number) => {
      const random = at(seed, QUERIES + index)
      return mixed(mixed(around(random, 0.9), noise(random, 0.6), 1, 1), shift, 1, 1)
    }
    return { row, query }
  },
}

export const KINDS: readonly Kind[] = [
  clustered,
  surface,
  words,
  uniform,
  duplicates,
  histograms,
  apart,
  ...MORE_KINDS,
  ...HELD_OUT_KINDS,
]

/** A number of 0 to 99 that has nothing to do with the vector of the row. */
export function randomGroup(row: number): number {
  return bucketOf(`row ${row}`)
}
