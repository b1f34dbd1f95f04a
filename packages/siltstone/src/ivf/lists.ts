/** Reads the lists of clusters, neighbouring ones in one request; checks them and keeps them in the block cache. */
import { corrupt } from '../errors.ts'
import { crc32 } from '#codec'
import { decodeCompactList } from './compact-list.ts'
import type { SectionDescriptor } from '../format/segment/descriptor.ts'
import { type BlockShelf, eachAtMost, type SectionSource, stretches } from '../format/segment/source.ts'
import { type IvfDirectory, LIST_HEADER_BYTES, PACK, packBytes } from './directory.ts'

const MAX_READ_BYTES = 4 << 20
const PARALLEL_READS = 128

export interface ClusterList {
  entries: number
  primaries: number
  /** Row of the first primary. Entry i < `primaries` is row `firstRow` + i. */
  firstRow: number
  /** The codes and factors, as `scanCodes` takes them. */
  packs: Uint8Array
  /** Rows of the entries that follow the primaries. */
  copies: Uint32Array
}

export class ListReader {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #directory: IvfDirectory
  readonly #shelf: BlockShelf | undefined

  constructor(source: SectionSource, section: SectionDescriptor, directory: IvfDirectory) {
    this.#source = source
    this.#section = section
    this.#directory = directory
    this.#shelf = source.shelf(section)
  }

  /** @returns the list of a cluster if it is in memory */
  cached(cluster: number): ClusterList | undefined {
    return this.#shelf?.get(cluster) as ClusterList | undefined
  }

  /** @param clusters ascending @throws SiltstoneError `corrupt` (`list-damaged`, `object-truncated`) */
  async read(clusters: readonly number[], take: (cluster: number, list: ClusterList) => void): Promise<void> {
    const { offsets } = this.#directory
    const groups = stretches(clusters, (cluster) => offsets[cluster] as number, this.#source.gapBytes, MAX_READ_BYTES)
    const wanted = new Set(clusters)
    await eachAtMost(groups, PARALLEL_READS, async ({ first, end }) => {
      const start = offsets[first] as number
      const length = (offsets[end] as number) - start
      const bytes = await this.#source.range(this.#section, this.#section.offset + start, length)
      for (let cluster = first; cluster < end; cluster++) {
        if (!wanted.has(cluster)) continue
        const part = bytes.subarray((offsets[cluster] as number) - start, (offsets[cluster + 1] as number) - start)
        // A copy: a view would keep the whole read in memory.
        const own = part.length === bytes.buffer.byteLength ? part : new Uint8Array(part)
        const list = this.parse(cluster, own)
        this.#shelf?.set(cluster, list, list.packs.length + list.copies.byteLength)
        take(cluster, list)
      }
    })
  }

  /** @param bytes of exactly this list, aligned to 4 */
  parse(cluster: number, bytes: Uint8Array): ClusterList {
    const { dimension, bits, primaries, copies, firstRows, isCompact } = this.#directory
    const fail = (reason: string): never => {
      const key = this.#source.key(this.#section)
      throw corrupt('list-damaged', `${key}: section ${this.#section.name}, list ${cluster}: ${reason}`, { key })
    }
    const entries = (primaries[cluster] as number) + (copies[cluster] as number)
    const known = { entries, primaries: primaries[cluster] as number, firstRow: firstRows[cluster] as number }
    if (isCompact) {
      const sizes = { entries, copied: copies[cluster] as number, codeBytes: (dimension * bits) / 8 }
      const content = decodeCompactList(bytes, sizes)
      return typeof content === 'string' ? fail(content) : { ...known, ...content }
    }
    const header = new Uint32Array(bytes.buffer, bytes.byteOffset, LIST_HEADER_BYTES / 4)
    if (header[0] !== crc32(bytes.subarray(4))) fail('it does not match its checksum')
    if (header[1] !== entries || header[2] !== primaries[cluster] || header[3] !== firstRows[cluster])
      fail('its header does not match the directory')
    const packsEnd = LIST_HEADER_BYTES + Math.ceil(entries / PACK) * packBytes(dimension * bits)
    return {
      ...known,
      packs: bytes.subarray(LIST_HEADER_BYTES, packsEnd),
      copies: new Uint32Array(bytes.buffer, bytes.byteOffset + packsEnd, copies[cluster] as number),
    }
  }
}
