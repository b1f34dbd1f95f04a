/**
 * Centroids in parts, for segments that pages read: a page reads the means of the groups in which the clusters were trained, and of
 * the centroids those of the groups that are near to a query.
 *
 * A part is the CRC-32 of what follows, and compressed with Zstandard the centroids of one group: i8[clusters of the group × D],
 * then their f32 scales. A centroid that is not read yet is infinitely far from every query.
 */
import { crc32, zstdDecompress } from '#codec'
import { readUint32 } from '../codec/bytes.ts'
import { corrupt } from '../errors.ts'
import type { SectionDescriptor } from '../format/segment/descriptor.ts'
import { type SectionSource, stretches } from '../format/segment/source.ts'

/**
 * The share of the centroids that a query reads, unless it visits many clusters: near ones lie in groups whose means are farther, too. Over
 * 100,000 passages recall@10 was 0.938 with all centroids (111 KB), 0.933 with 0.56 of them (59 KB), 0.921 with 0.39.
 */
const SHARE = 0.55
/** Of few centroids, half would cost more recall than it saves bytes (0.893 instead of 0.902 of the nearest ten among 6,800 texts). */
const LEAST = 256
/** Up to so many times the root of their number, it suffices. */
const USUAL = 1.2
const MAX_READ_BYTES = 4 << 20

/** Where centroids are put: of a directory. */
export interface CentroidRoom {
  dimension: number
  centroids: Int8Array
  scales: Float32Array
  squares: Float32Array
}

/** The part of a prepared query that is compared with the means. */
export interface ComparedQuery {
  space: 'l2' | 'cosine' | 'ip'
  words: Int16Array
  factor: number
}

export interface CentroidGroups {
  /** i8[groups × D], to be multiplied by `scales`. */
  means: Int8Array
  scales: Float32Array
  /** The clusters of group g are `starts[g]` to before `starts[g + 1]`. */
  starts: Uint32Array
  /** Part g lies at `offsets[g]` to before `offsets[g + 1]` of the section. */
  offsets: Float64Array
}

export class CentroidParts {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #groups: CentroidGroups
  /** Of each group that was asked for. */
  readonly #reading = new Map<number, Promise<void>>()
  #room: CentroidRoom | undefined

  constructor(source: SectionSource, section: SectionDescriptor, groups: CentroidGroups) {
    this.#source = source
    this.#section = section
    this.#groups = groups
  }

  /** Where the centroids are put. */
  attach(room: CentroidRoom): void {
    this.#room = room
  }

  /**
   * Reads the centroids that a query needs to visit so many clusters.
   * @returns whether there are more than before
   * @throws SiltstoneError `corrupt` (`section-damaged`, `object-truncated`)
   */
  async read(query: ComparedQuery, visited: number): Promise<boolean> {
    const { starts } = this.#groups
    const clusters = starts.at(-1) as number
    const enough = Math.max(LEAST, SHARE * Math.max(clusters, (Math.sqrt(clusters) * visited) / USUAL))
    const wanted: number[] = []
    let known = 0
    for (const group of this.#nearest(query)) {
      if (known >= enough) break
      known += (starts[group + 1] as number) - (starts[group] as number)
      wanted.push(group)
    }
    return this.#readGroups(wanted)
  }

  async readAll(): Promise<void> {
    await this.#readGroups(Array.from(this.#groups.scales, (_, group) => group))
  }

  /** All groups, by the distance of their means. */
  #nearest({ space, words, factor }: ComparedQuery): number[] {
    const { means, scales } = this.#groups
    const dimension = words.length
    const bases = Float64Array.from(scales, (scale, group) => {
      let dot = 0
      let square = 0
      for (let d = 0, at = group * dimension; d < dimension; d++, at++) {
        const value = means[at] as number
        dot += value * (words[d] as number)
        square += value * value
      }
      return (space === 'ip' ? 0 : square * scale * scale) - ((2 * dot) / factor) * scale
    })
    return Array.from(bases, (_, group) => group).sort((a, b) => (bases[a] as number) - (bases[b] as number) || a - b)
  }

  async #readGroups(groups: readonly number[]): Promise<boolean> {
    const { offsets } = this.#groups
    const missing = groups.filter((group) => !this.#reading.has(group)).sort((a, b) => a - b)
    const joined = stretches(missing, (group) => offsets[group] as number, this.#source.gapBytes, MAX_READ_BYTES)
    for (const { first, end } of joined) {
      const reading = this.#readStretch(missing.filter((group) => group >= first && group < end))
      for (let group = first; group < end; group++) if (missing.includes(group)) this.#keep(group, reading)
    }
    await Promise.all(groups.map((group) => this.#reading.get(group) as Promise<void>))
    return missing.length > 0
  }

  #keep(group: number, reading: Promise<void>): void {
    this.#reading.set(group, reading)
    // A failure is not kept: the next query tries again.
    reading.catch(() => this.#reading.delete(group))
  }

  /** @param groups ascending */
  async #readStretch(groups: readonly number[]): Promise<void> {
    const { offsets } = this.#groups
    const start = offsets[groups[0] as number] as number
    const end = offsets[(groups.at(-1) as number) + 1] as number
    const bytes = await this.#source.range(this.#section, this.#section.offset + start, end - start)
    this.#put(
      groups.map((group) => ({
        group,
        content: this.#contentOf(
          group,
          bytes.subarray((offsets[group] as number) - start, (offsets[group + 1] as number) - start),
        ),
      })),
    )
  }

  #contentOf(group: number, part: Uint8Array): Uint8Array {
    const key = this.#source.key(this.#section)
    const fail = (reason: string, cause?: unknown): never => {
      throw corrupt('section-damaged', `${key}: section ${this.#section.name}: part ${group} ${reason}`, { key, cause })
    }
    const packed = part.subarray(4)
    if (part.length < 4 || crc32(packed) !== readUint32(part, 0)) fail('does not match its checksum')
    const { starts, means, scales } = this.#groups
    const dimension = means.length / scales.length
    const expected = ((starts[group + 1] as number) - (starts[group] as number)) * (dimension + 4)
    let raw: Uint8Array | undefined
    try {
      raw = zstdDecompress(packed, expected)
    } catch (cause) {
      fail('cannot be decompressed', cause)
    }
    if (raw?.length !== expected) return fail(`has ${raw?.length} bytes of ${expected}`)
    return raw
  }

  /** Into new arrays: searches keep copies of those that they know. */
  #put(parts: readonly { group: number; content: Uint8Array }[]): void {
    const room = this.#room as CentroidRoom
    const { dimension } = room
    const centroids = room.centroids.slice()
    for (const { group, content } of parts) {
      const first = this.#groups.starts[group] as number
      const count = content.length / (dimension + 4)
      const own = new Int8Array(content.buffer, content.byteOffset, count * dimension)
      centroids.set(own, first * dimension)
      // A copy is aligned.
      const scales = new Float32Array(new Uint8Array(content.subarray(count * dimension)).buffer)
      room.scales.set(scales, first)
      for (let i = 0; i < count; i++) {
        let sum = 0
        for (let d = i * dimension; d < (i + 1) * dimension; d++) sum += (own[d] as number) ** 2
        room.squares[first + i] = sum * (scales[i] as number) ** 2
      }
    }
    room.centroids = centroids
  }
}
