/**
 * Kinds of vectors that were added before a change of the index and first measured after it was designed, so they tell how
 * well it holds on data that nobody looked at.
 */
import { at, gaussian, type Kind, mixed, QUERIES, ROWS, zipf } from './kind.ts'
import type { SeededRandom } from './random.ts'

/** As of a model of images and texts: rows in one cone, queries in another, which share what they are about. */
const modalities: Kind = {
  name: 'two modalities',
  space: 'cosine',
  dimension: 512,
  queries: 'from another cone than the rows, about the same topics, with more noise',
  make: (_, seed) => {
    const inner = 64
    const unit = 1 / Math.sqrt(512)
    const basis = Array.from({ length: inner }, (_unused, i) => gaussian(at(seed, i), 512, unit * (1 + i) ** -0.3))
    const cone = (i: number) => gaussian(at(seed, 800 + i), 512, 4 * unit)
    const [images, texts] = [cone(0), cone(1)]
    const about = (random: SeededRandom, mean: Float32Array, own: number, noise: number) => {
      const topic = gaussian(at(seed, 2_000 + zipf(random, 2_500)), inner)
      const weights = mixed(topic, gaussian(random, inner), 1, own)
      const sum = mixed(mean, gaussian(random, 512, noise * unit), 1, 1)
      basis.forEach((one, i) => one.forEach((x, d) => (sum[d] = (sum[d] as number) + x * (weights[i] as number))))
      return sum
    }
    return {
      row: (index) => about(at(seed, ROWS + index), images, 0.6, 1),
      query: (index) => about(at(seed, QUERIES + index), texts, 0.9, 1.6),
    }
  },
}

/** Hashes: each number is 0 or 1, so many distances are equal. */
const bits: Kind = {
  name: 'bits',
  space: 'l2',
  dimension: 256,
  queries: 'of the same topics, with two bits in seven drawn again',
  make: (_, seed) => {
    const topic = (i: number) => {
      const random = at(seed, i)
      return Float32Array.from({ length: 256 }, () => (random.next() < 0.5 ? 0 : 1))
    }
    const drawn = (random: SeededRandom, share: number) => {
      const some = topic(zipf(random, 4_000))
      return some.map((bit) => (random.next() < share ? Math.floor(2 * random.next()) : bit))
    }
    return {
      row: (index) => drawn(at(seed, ROWS + index), 0.2 + 0.2 * at(seed, 9_000 + (index % 50)).next()),
      query: (index) => drawn(at(seed, QUERIES + index), 2 / 7),
    }
  },
}

/** Overlapping windows of series: each row has neighbours that are the same series a little earlier and later. */
const windows: Kind = {
  name: 'windows of series',
  space: 'l2',
  dimension: 200,
  queries: 'half are windows of the same series with noise, half of series that no row is of',
  make: (count, seed) => {
    const series = 40
    const length = Math.max(400, Math.floor(count / 8))
    const window = (number: number, start: number) => {
      const values = new Float32Array(200)
      let value = 0
      let slope = 0
      for (let t = 0; t < 200; t++) {
        slope = 0.9 * slope + at(seed, 50_000_000 + number * 1_000_000 + start + t).gaussian()
        value += slope
        values[t] = value
      }
      const mean = values.reduce((sum, x) => sum + x, 0) / 200
      return values.map((x) => (x - mean) / 100)
    }
    const row = (index: number) => {
      const random = at(seed, ROWS + index)
      return window(zipf(random, series), random.below(length))
    }
    const query = (index: number) => {
      const random = at(seed, QUERIES + index)
      const number = index % 2 === 0 ? random.below(series) : series + random.below(series)
      return mixed(window(number, random.below(length)), gaussian(random, 200, 0.03), 1, 1)
    }
    return { row, query }
  },
}

/** Kinds of kinds, eight levels deep, most of them rare: neighbourhoods of all widths. */
const tree: Kind = {
  name: 'tree',
  space: 'l2',
  dimension: 48,
  queries: 'half as the rows, half from branches that are all as likely',
  make: (_, seed) => {
    const depth = 8
    const children = 6
    const point = (random: SeededRandom, child: () => number) => {
      let node = 1
      let sum: Float32Array = new Float32Array(48)
      for (let level = 0; level < depth; level++) {
        node = (node * 31 + child() + 1) % 100_000_007
        sum = mixed(sum, gaussian(at(seed, 700_000_000 + node), 48), 1, 0.62 ** level)
      }
      return mixed(sum, gaussian(random, 48), 1, 0.62 ** depth)
    }
    const row = (index: number) => {
      const random = at(seed, ROWS + index)
      return point(random, () => zipf(random, children))
    }
    const query = (index: number) => {
      const random = at(seed, QUERIES + index)
      return point(random, () => (index % 2 === 0 ? zipf(random, children) : random.below(children)))
    }
    return { row, query }
  },
}

export const HELD_OUT_KINDS: readonly Kind[] = [modalities, bits, windows, tree]
