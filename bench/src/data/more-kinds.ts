/** Further kinds of vectors: what makes neighbourhoods unequal, and forms that embeddings of today have. */
import { at, gaussian, type Kind, mixed, QUERIES, ROWS, tail, zipf } from './kind.ts'
import type { SeededRandom } from './random.ts'

/** In few of many directions: the mean that all share, topics of topics, and variances that fall as a power. */
const anisotropic: Kind = {
  name: 'one cone, 1,536',
  space: 'cosine',
  dimension: 1_536,
  queries: 'shorter texts: nearer to the common mean, with more noise',
  make: (_, seed) => {
    const inner = 96
    const basis = Array.from({ length: inner }, (_unused, i) => gaussian(at(seed, i), 1_536, (1 + i) ** -0.4 / 39))
    const mean = gaussian(at(seed, 900), 1_536, 2.5 / 39)
    const topic = (i: number) =>
      mixed(gaussian(at(seed, 2_000 + (i % 60)), inner), gaussian(at(seed, 3_000 + i), inner), 1, 0.8)
    const text = (random: SeededRandom, own: number, noise: number) => {
      const weights = mixed(topic(zipf(random, 3_000)), gaussian(random, inner), own, 0.6)
      const sum = mixed(mean, gaussian(random, 1_536, noise / 39), 1, 1)
      basis.forEach((one, i) => one.forEach((x, d) => (sum[d] = (sum[d] as number) + x * (weights[i] as number))))
      return sum
    }
    return {
      row: (index) => text(at(seed, ROWS + index), 1, 0.25),
      query: (index) => text(at(seed, QUERIES + index), 0.7, 0.4),
    }
  },
}

/** Inner products with very unequal lengths: a few long rows are near to most queries. */
const hubs: Kind = {
  name: 'hubs',
  space: 'ip',
  dimension: 200,
  queries: 'other vectors, of the same directions',
  make: (_, seed) => {
    const centre = (i: number) => gaussian(at(seed, i), 200)
    const direction = (random: SeededRandom) => mixed(centre(zipf(random, 1_200)), gaussian(random, 200, 0.8), 1, 1)
    const row = (index: number) => {
      const random = at(seed, ROWS + index)
      const length = Math.exp(0.5 * random.gaussian()) / 14
      return direction(random).map((x) => x * length)
    }
    return { row, query: (index) => direction(at(seed, QUERIES + index)) }
  },
}

/** Texts from templates: groups of one to some hundred rows that differ in the third digit. */
const nearDuplicates: Kind = {
  name: 'near duplicates',
  space: 'cosine',
  dimension: 384,
  queries: 'half near a group, half between two rows of a topic',
  make: (count, seed) => {
    const groups = Math.max(100, Math.floor(count / 12))
    const template = (i: number) => mixed(gaussian(at(seed, i % 400), 384), gaussian(at(seed, 5_000 + i), 384), 1, 0.7)
    const copy = (i: number, random: SeededRandom, noise: number) =>
      mixed(template(i), gaussian(random, 384, noise), 1, 1)
    const row = (index: number) => {
      const random = at(seed, ROWS + index)
      return copy(zipf(random, groups), random, random.next() < 0.5 ? 0.005 : 0.05)
    }
    const query = (index: number) => {
      const random = at(seed, QUERIES + index)
      const i = random.below(groups)
      if (index % 2 === 0) return copy(i, random, 0.3)
      return mixed(copy(i, random, 0.1), copy((i + 400) % groups, random, 0.1), 0.5, 0.5)
    }
    return { row, query }
  },
}

/** Clusters of unequal shape, and one row in twenty anywhere in a space ten times as wide. */
const outliers: Kind = {
  name: 'outliers',
  space: 'l2',
  dimension: 50,
  queries: 'four of five as the rows, one an outlier',
  make: (_, seed) => {
    const point = (random: SeededRandom, outlying: number) => {
      if (random.next() < outlying) return gaussian(random, 50, 10)
      const i = zipf(random, 300)
      const shape = at(seed, 10_000 + i)
      const widths = Float32Array.from({ length: 50 }, () => 0.1 + 0.9 * shape.next() ** 3)
      return mixed(
        gaussian(at(seed, i), 50),
        gaussian(random, 50).map((x, d) => x * (widths[d] as number)),
        1.5,
        1,
      )
    }
    return {
      row: (index) => point(at(seed, ROWS + index), 0.05),
      query: (index) => point(at(seed, QUERIES + index), 0.2),
    }
  },
}

/** Small whole numbers: many distances are equal. */
const integers: Kind = {
  name: 'whole numbers',
  space: 'l2',
  dimension: 72,
  queries: 'rows with one number in six drawn again',
  make: (_, seed) => {
    const whole = (x: number) => Math.max(0, Math.min(15, Math.round(4 + 3 * x)))
    const row = (index: number) => {
      const random = at(seed, ROWS + index)
      return mixed(gaussian(at(seed, zipf(random, 5_000)), 72), gaussian(random, 72), 0.9, 0.6).map(whole)
    }
    const query = (index: number) => {
      const random = at(seed, QUERIES + index)
      return row(random.below(10_000)).map((x) => (random.next() < 1 / 6 ? whole(random.gaussian()) : x))
    }
    return { row, query }
  },
}

/** Few of many dimensions, none negative: weights of words or of parts. */
const sparse: Kind = {
  name: 'sparse, not negative',
  space: 'cosine',
  dimension: 512,
  queries: 'the same topics, a third of the words',
  make: (_, seed) => {
    const text = (random: SeededRandom, words: number) => {
      const vector = new Float32Array(512)
      const topic = at(seed, random.below(1_500))
      const own = Array.from({ length: 40 }, () => topic.below(512))
      for (let i = 0; i < words; i++) {
        const word = random.next() < 0.7 ? (own[zipf(random, 40)] as number) : zipf(random, 512)
        vector[word] = (vector[word] as number) + 1
      }
      return vector.map((x) => Math.log1p(x))
    }
    return {
      row: (index) => {
        const random = at(seed, ROWS + index)
        return text(random, 20 + random.below(60))
      },
      query: (index) => {
        const random = at(seed, QUERIES + index)
        return text(random, 8 + random.below(16))
      },
    }
  },
}

/** Each row is far out or near by chance, in directions of unequal variance. */
const heavyTails: Kind = {
  name: 'heavy tails',
  space: 'l2',
  dimension: 160,
  queries: 'as the rows',
  make: (_, seed) => {
    const scale = Float32Array.from({ length: 160 }, (_unused, d) => (1 + d) ** -0.6)
    const point = (random: SeededRandom) => {
      const own = gaussian(random, 160, Math.min(20, tail(random, 2)))
      return mixed(gaussian(at(seed, zipf(random, 2_000)), 160), own, 1, 1).map((x, d) => x * (scale[d] as number))
    }
    return { row: (index) => point(at(seed, ROWS + index)), query: (index) => point(at(seed, QUERIES + index)) }
  },
}

export const MORE_KINDS: readonly Kind[] = [anisotropic, hubs, nearDuplicates, outliers, integers, sparse, heavyTails]
