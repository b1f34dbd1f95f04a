/**
 * Reads archives (PKWARE APPNOTE 6.3) by ranges: the directory at the end, then one member at a time. Sizes that an archive
 * claims are not trusted: a member is inflated only as far as the limits allow.
 */
import { inflateRawSync } from 'node:zlib'
import { archiveTooLarge, corruptFile, encrypted } from '../failures.ts'
import type { RandomAccess } from '../processor.ts'

export interface ArchiveLimits {
  entries: number
  /** Of everything that is read from one archive, inflated. */
  totalBytes: number
  /** Inflated size by stored size of a member of more than 1 MiB. */
  ratio: number
  /** Of one member, inflated. */
  memberBytes: number
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  entries: 10_000,
  totalBytes: 1024 * 1024 * 1024,
  ratio: 100,
  memberBytes: 128 * 1024 * 1024,
}

/** Small members of repeated text often shrink more than a hundredfold, and do no harm. */
const RATIO_FROM_BYTES = 1024 * 1024

interface Entry {
  method: number
  flags: number
  storedBytes: number
  sizeBytes: number
  offset: number
}

export class Archive {
  readonly #source: RandomAccess
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #limits: ArchiveLimits
  #readBytes = 0

  private constructor(source: RandomAccess, entries: ReadonlyMap<string, Entry>, limits: ArchiveLimits) {
    this.#source = source
    this.#entries = entries
    this.#limits = limits
  }

  /** @throws SiltstoneError `invalid` (corrupt-file, archive-too-large) */
  static async open(source: RandomAccess, limits: ArchiveLimits = ARCHIVE_LIMITS): Promise<Archive> {
    const { offset, sizeBytes, count } = await findDirectory(source)
    if (count > limits.entries)
      throw archiveTooLarge(`the archive has ${count} members; at most ${limits.entries} are allowed`)
    const directory = await source.read(offset, sizeBytes)
    if (directory.length < sizeBytes) throw corruptFile('the directory of the archive is cut off')
    return new Archive(source, entriesOf(directory, limits), limits)
  }

  get names(): string[] {
    return [...this.#entries.keys()]
  }

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  /**
   * The bytes of a member; undefined if there is none of that name.
   * @throws SiltstoneError `invalid` (encrypted, corrupt-file, archive-too-large)
   */
  async read(name: string): Promise<Uint8Array | undefined> {
    const entry = this.#entries.get(name)
    if (!entry) return undefined
    if ((entry.flags & 1) !== 0) throw encrypted(`${name} in the archive`)
    const stored = await this.#stored(name, entry)
    const bytes = entry.method === 0 ? stored : inflate(name, stored, this.#allowedBytes(name, stored.length))
    this.#readBytes += bytes.length
    if (this.#readBytes > this.#limits.totalBytes)
      throw archiveTooLarge(`more than ${this.#limits.totalBytes} bytes were read from the archive`)
    return bytes
  }

  async readText(name: string): Promise<string | undefined> {
    const bytes = await this.read(name)
    return bytes && new TextDecoder(encodingOf(bytes)).decode(bytes)
  }

  #allowedBytes(name: string, storedBytes: number): number {
    const { memberBytes, ratio, totalBytes } = this.#limits
    const allowed = Math.min(memberBytes, Math.max(RATIO_FROM_BYTES, storedBytes * ratio), totalBytes - this.#readBytes)
    if (allowed <= 0) throw archiveTooLarge(`${name} is beyond the ${totalBytes} bytes that are read from an archive`)
    return allowed
  }

  async #stored(name: string, { offset, storedBytes, method }: Entry): Promise<Uint8Array> {
    if (method !== 0 && method !== 8) throw corruptFile(`${name} is stored by method ${method}, which is not read`)
    if (storedBytes > this.#limits.memberBytes)
      throw archiveTooLarge(`${name} has ${storedBytes} bytes; at most ${this.#limits.memberBytes} are read`)
    const head = view(await this.#source.read(offset, 30))
    if (head.byteLength < 30 || head.getUint32(0, true) !== 0x04034b50)
      throw corruptFile(`the archive has no member where ${name} should be`)
    const start = offset + 30 + head.getUint16(26, true) + head.getUint16(28, true)
    const bytes = await this.#source.read(start, storedBytes)
    if (bytes.length < storedBytes) throw corruptFile(`${name} is cut off`)
    return bytes
  }
}

/** Parts of documents are XML in UTF-8, or in UTF-16 with a mark at the beginning. */
function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}

function inflate(name: string, stored: Uint8Array, allowedBytes: number): Uint8Array {
  try {
    return inflateRawSync(stored, { maxOutputLength: allowedBytes })
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw archiveTooLarge(`${name} grows from ${stored.length} bytes to more than ${allowedBytes}`)
    throw corruptFile(`${name} cannot be inflated`, error)
  }
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** The end record is the last thing in the file, before a comment of at most 65,535 bytes. */
async function findDirectory(source: RandomAccess): Promise<{ offset: number; sizeBytes: number; count: number }> {
  const tailBytes = Math.min(source.sizeBytes, 22 + 65_535 + 20)
  const start = source.sizeBytes - tailBytes
  const tail = view(await source.read(start, tailBytes))
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue
    const found = {
      count: tail.getUint16(at + 10, true),
      sizeBytes: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    }
    const isLarge = found.count === 0xffff || found.sizeBytes === 0xffffffff || found.offset === 0xffffffff
    const directory = isLarge ? await largeDirectory(source, tail, at) : found
    if (directory.offset + directory.sizeBytes <= source.sizeBytes) return directory
  }
  throw corruptFile('the archive has no directory at its end; it may be cut off')
}

/** Zip64: a locator before the end record names a record with 64-bit numbers. */
async function largeDirectory(source: RandomAccess, tail: DataView, at: number) {
  if (at < 20 || tail.getUint32(at - 20, true) !== 0x07064b50) throw corruptFile('the archive names no large directory')
  const record = view(await source.read(Number(tail.getBigUint64(at - 12, true)), 56))
  if (record.byteLength < 56 || record.getUint32(0, true) !== 0x06064b50)
    throw corruptFile('the large directory of the archive is missing')
  return {
    count: Number(record.getBigUint64(32, true)),
    sizeBytes: Number(record.getBigUint64(40, true)),
    offset: Number(record.getBigUint64(48, true)),
  }
}

function entriesOf(directory: Uint8Array, limits: ArchiveLimits): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  const data = view(directory)
  for (let at = 0; at + 46 <= data.byteLength && data.getUint32(at, true) === 0x02014b50; ) {
    const nameBytes = data.getUint16(at + 28, true)
    const extraBytes = data.getUint16(at + 30, true)
    const next = at + 46 + nameBytes + extraBytes + data.getUint16(at + 32, true)
    if (next > data.byteLength) throw corruptFile('the directory of the archive is damaged')
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameBytes)).replaceAll('\\', '/')
    const entry: Entry = {
      flags: data.getUint16(at + 8, true),
      method: data.getUint16(at + 10, true),
      storedBytes: data.getUint32(at + 20, true),
      sizeBytes: data.getUint32(at + 24, true),
      offset: data.getUint32(at + 42, true),
    }
    entries.set(name, withLargeFields(entry, data, at + 46 + nameBytes, extraBytes))
    if (entries.size > limits.entries) throw archiveTooLarge(`the archive has more than ${limits.entries} members`)
    at = next
  }
  return entries
}

/** Extra field 1 holds, in this order, the 64-bit values of those fields that are all ones. */
function withLargeFields(entry: Entry, data: DataView, from: number, extraBytes: number): Entry {
  for (let at = from; at + 4 <= from + extraBytes; at += 4 + data.getUint16(at + 2, true)) {
    if (data.getUint16(at, true) !== 1) continue
    const end = Math.min(at + 4 + data.getUint16(at + 2, true), from + extraBytes)
    let next = at + 4
    const take = (value: number) => {
      if (value !== 0xffffffff || next + 8 > end) return value
      next += 8
      return Number(data.getBigUint64(next - 8, true))
    }
    const sizeBytes = take(entry.sizeBytes)
    const storedBytes = take(entry.storedBytes)
    return { ...entry, sizeBytes, storedBytes, offset: take(entry.offset) }
  }
  return entry
}
