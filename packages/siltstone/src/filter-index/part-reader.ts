/** Reads checked parts of one section, through the cache. */
import { corrupt } from '../errors.ts'
import type { SectionDescriptor } from '../format/segment/descriptor.ts'
import type { BlockShelf, SectionSource } from '../format/segment/source.ts'
import type { Part } from './layout.ts'

export class PartReader {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #shelf: BlockShelf | undefined

  constructor(source: SectionSource, section: SectionDescriptor) {
    this.#source = source
    this.#section = section
    this.#shelf = source.shelf(section)
  }

  /** Its bytes, aligned to 8, which must not be changed. @throws SiltstoneError `corrupt` (`section-damaged`, …) */
  async part({ offset, length, crc32 }: Part): Promise<Uint8Array> {
    const known = this.#shelf?.get(offset) as Uint8Array | undefined
    if (known && known.length === length) return known
    const section = this.#section
    const isInside =
      Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && offset + length <= section.length
    if (!isInside) this.fail(`a part lies at ${offset}, ${length} bytes`)
    const range = { offset: section.offset + offset, length, crc32 }
    const bytes = new Uint8Array(await this.#source.checked(section, range, `the part at ${offset}`))
    this.#shelf?.set(offset, bytes, bytes.length)
    return bytes
  }

  fail(reason: string): never {
    const key = this.#source.key(this.#section)
    throw corrupt('section-damaged', `${key}: section ${this.#section.name}: ${reason}`, { key })
  }
}
