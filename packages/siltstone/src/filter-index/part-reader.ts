/** Reads parts of one section through the block cache, neighbouring ones in one request, and checks them. */
import { corrupt } from '../errors.ts'
import { crcHex } from '../format/checksum.ts'
import type { SectionDescriptor } from '../format/segment/descriptor.ts'
import { type BlockShelf, eachAtMost, type SectionSource } from '../format/segment/source.ts'
import type { Part } from './layout.ts'

const MAX_READ_BYTES = 4 << 20
const PARALLEL_READS = 32

export class PartReader {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #shelf: BlockShelf | undefined
  /** The end of the section. Its parts are checked one by one. */
  #head: { start: number; bytes: Uint8Array } | undefined

  constructor(source: SectionSource, section: SectionDescriptor) {
    this.#source = source
    this.#section = section
    this.#shelf = source.shelf(section)
  }

  /** Reads the end of the section in one request, which later reads of its parts use. @throws SiltstoneError `corrupt` */
  async readHead(length: number): Promise<void> {
    const start = this.#section.length - length
    this.#head = { start, bytes: await this.#source.range(this.#section, this.#section.offset + start, length) }
  }

  /** @returns bytes aligned to 8, which must not be changed @throws SiltstoneError `corrupt` (`section-damaged`, …) */
  async part(part: Part): Promise<Uint8Array> {
    let found = new Uint8Array(0)
    await this.parts([part], (_, bytes) => {
      found = bytes as Uint8Array<ArrayBuffer>
    })
    return found
  }

  /**
   * Calls `take(i, bytes)` for each part, in any order.
   * @param unpack decodes the stored bytes of a part; the cache keeps the result, so all readers must decode alike
   * @throws SiltstoneError `corrupt` (`section-damaged`, …)
   */
  async parts(
    parts: readonly Part[],
    take: (index: number, bytes: Uint8Array) => void,
    unpack?: (index: number, stored: Uint8Array) => Uint8Array,
  ): Promise<void> {
    const missing: number[] = []
    for (const [i, part] of parts.entries()) {
      const { offset, length } = part
      const known = this.#shelf?.get(offset) as Uint8Array | undefined
      if (known) {
        take(i, known)
        continue
      }
      const isInside =
        Number.isSafeInteger(offset) &&
        offset >= 0 &&
        Number.isSafeInteger(length) &&
        length >= 0 &&
        offset + length <= this.#section.length
      if (!isInside) this.fail(`a part of ${length} bytes at ${offset} lies outside of it`)
      missing.push(i)
    }
    if (missing.length === 0) return
    await eachAtMost(
      together(parts, missing, this.#source.gapBytes),
      PARALLEL_READS,
      async ({ start, end, members }) => {
        const head = this.#head
        const bytes =
          head && start >= head.start
            ? head.bytes.subarray(start - head.start, end - head.start)
            : await this.#source.range(this.#section, this.#section.offset + start, end - start)
        for (const i of members) {
          const { offset, length, crc32 } = parts[i] as Part
          // A copy: a view would keep the whole read in memory, and may not be aligned.
          const stored = bytes.subarray(offset - start, offset - start + length)
          if (crcHex(stored) !== crc32) this.fail(`the part at ${offset} does not match its checksum`)
          const own = new Uint8Array(unpack ? unpack(i, stored) : stored)
          this.#shelf?.set(offset, own, own.length)
          take(i, own)
        }
      },
    )
  }

  fail(reason: string, cause?: unknown): never {
    const key = this.#source.key(this.#section)
    throw corrupt('section-damaged', `${key}: section ${this.#section.name}: ${reason}`, { key, cause })
  }
}

interface Together {
  start: number
  end: number
  /** Indices of the parts in it. */
  members: number[]
}

function together(parts: readonly Part[], indices: readonly number[], gapBytes: number): Together[] {
  const found: Together[] = []
  const ordered = indices.toSorted((a, b) => (parts[a] as Part).offset - (parts[b] as Part).offset)
  for (const i of ordered) {
    const { offset, length } = parts[i] as Part
    const last = found.at(-1)
    if (last && offset - last.end <= gapBytes && offset + length - last.start <= MAX_READ_BYTES) {
      last.end = Math.max(last.end, offset + length)
      last.members.push(i)
    } else found.push({ start: offset, end: offset + length, members: [i] })
  }
  return found
}
