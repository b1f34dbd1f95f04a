/** Range reads of a segment's or overlay's sections, with their errors and their cache. */
import { corrupt } from '../../errors.ts'
import { crcHex } from '../checksum.ts'
import type { FileDescriptor, SectionDescriptor } from './descriptor.ts'

/**
 * Reads these bytes of an object. It may return fewer at the object's end, which is an error here.
 * @param into memory that it may put them into
 */
export type ReadRange = (key: string, offset: number, length: number, into?: Uint8Array) => Promise<Uint8Array>

/** Parsed blocks of one section by number; `bytes` is the size of one in memory. */
export interface BlockShelf {
  get(number: number): unknown
  set(number: number, value: unknown, bytes: number): void
}

export interface BlockCache {
  shelf(name: string): BlockShelf
}

/** A stretch of a section: blocks or pages that are read together. */
export interface Stretch {
  /** Index of the first and one past the last. */
  first: number
  end: number
}

/** As a store of small latency has it. */
const GAP_BYTES = 16 * 1024

export interface SourceOptions {
  cache?: BlockCache
  /** A read takes a few microseconds, so several dependent reads cost less than one that is not needed. Default: false. */
  isLocal?: boolean
  /** Reading this many bytes for nothing costs less than another request. Default 16 KB. */
  gapBytes?: number
  /**
   * Single pages of larger sections are not cached: few are used twice before they are evicted, which is not worth the
   * memory where reads are cheap. Default: all are cached.
   */
  cachedSectionBytes?: number
  /**
   * Of sections up to this size, the pages that are read only because they lie between wanted ones are cached as well: a
   * reader that needs many scattered pages would read them again later. Default 0.
   */
  gapCachedSectionBytes?: number
}

export class SectionSource {
  /** Id of the segment or overlay: the prefix of cache keys. */
  readonly id: string
  readonly isLocal: boolean
  /** Ranges that are this near to one another are best read in one. */
  readonly gapBytes: number
  readonly #cachedSectionBytes: number
  readonly #gapCachedSectionBytes: number
  readonly #cache: BlockCache | undefined
  readonly #files: readonly FileDescriptor[]
  readonly #read: ReadRange

  constructor(id: string, files: readonly FileDescriptor[], read: ReadRange, options: SourceOptions = {}) {
    this.id = id
    this.isLocal = options.isLocal ?? false
    this.gapBytes = options.gapBytes ?? GAP_BYTES
    this.#cachedSectionBytes = options.cachedSectionBytes ?? Number.POSITIVE_INFINITY
    this.#gapCachedSectionBytes = options.gapCachedSectionBytes ?? 0
    this.#cache = options.cache
    this.#files = files
    this.#read = read
  }

  /** Where the blocks of a section are kept. */
  shelf(section: SectionDescriptor): BlockShelf | undefined {
    if (section.length > this.#cachedSectionBytes) return undefined
    return this.#cache?.shelf(`${this.id}/${section.name}`)
  }

  /** Whether pages between the wanted ones are cached. */
  cachesGaps(section: SectionDescriptor): boolean {
    return section.length <= this.#gapCachedSectionBytes
  }

  key(section: SectionDescriptor): string {
    const file = this.#files[section.file]
    if (file === undefined) throw corrupt('descriptor-damaged', `section ${section.name} has no file`)
    return file.key
  }

  /** Reads past the cache. */
  get read(): ReadRange {
    return this.#read
  }

  /** `offset` in the object. @throws SiltstoneError `corrupt` (`object-truncated`) */
  async range(section: SectionDescriptor, offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0)
    const key = this.key(section)
    const bytes = await this.#read(key, offset, length, into)
    if (bytes.length === length) return bytes
    const reason = `${bytes.length} of ${length} bytes at ${offset} of section ${section.name}`
    throw corrupt('object-truncated', `${key}: the object has only ${reason}`, { key })
  }

  /** @throws SiltstoneError `corrupt` (`section-damaged`) */
  async checked(
    section: SectionDescriptor,
    range: { offset: number; length: number; crc32: string },
    what: string,
  ): Promise<Uint8Array> {
    const bytes = await this.range(section, range.offset, range.length)
    if (crcHex(bytes) === range.crc32) return bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
    const key = this.key(section)
    throw corrupt('section-damaged', `${key}: ${what} of section ${section.name} does not match its checksum`, { key })
  }
}

/** Little-endian words of bytes aligned to 4. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2)
}

/** Little-endian float32 numbers of bytes aligned to 4. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2)
}

/**
 * Joins ascending indices into stretches: neighbours closer than `gapBytes` are read together, up to `maxBytes`.
 * `start(i)` and `start(i + 1)` bound the bytes of item i.
 */
export function stretches(
  indices: readonly number[],
  start: (index: number) => number,
  gapBytes: number,
  maxBytes: number,
): Stretch[] {
  const out: Stretch[] = []
  let last: Stretch | undefined
  for (const index of indices) {
    const near = last !== undefined && start(index) - start(last.end) <= gapBytes
    if (last !== undefined && near && start(index + 1) - start(last.first) <= maxBytes) {
      last.end = index + 1
    } else {
      last = { first: index, end: index + 1 }
      out.push(last)
    }
  }
  return out
}

/** Runs `task` over all items, at most `limit` at once; the first failure is thrown after the running ones ended. */
export async function eachAtMost<T>(
  items: readonly T[],
  limit: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    try {
      while (next < items.length) await task(items[next++] as T)
    } catch (error) {
      next = items.length
      throw error
    }
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Yields the results of `read(step)` for step 0, 1, … until undefined, always one read ahead of the consumer. */
export async function* readAhead<T>(read: (step: number) => Promise<T> | undefined): AsyncGenerator<T> {
  // A read that fails while the consumer is busy, or after it stopped, must not become an unhandled rejection.
  const start = (step: number): Promise<PromiseSettledResult<T>[]> | undefined => {
    const reading = read(step)
    return reading && Promise.allSettled([reading])
  }
  let pending = start(0)
  try {
    for (let step = 1; pending !== undefined; step++) {
      const [result] = await pending
      if (result === undefined || result.status === 'rejected') throw result?.reason
      pending = start(step)
      yield result.value
    }
  } finally {
    await pending
  }
}

/** Memory for what `readAhead` reads, used again in turn: while one is read into, the one before is used. */
export class TwoBuffers {
  readonly #sizeBytes: number
  readonly #buffers: (Uint8Array | undefined)[] = [undefined, undefined]

  /** @param sizeBytes of each */
  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes
  }

  of(step: number): Uint8Array {
    return (this.#buffers[step % 2] ??= new Uint8Array(this.#sizeBytes))
  }
}

const SCAN_BYTES = 1 << 20

/**
 * Reads all of `count` neighbouring items in order, some at a time, the next ones while these are used.
 * `start(i)` and `start(i + 1)` bound the bytes of item i, and `range` reads bytes between two of them.
 */
export function scanAhead(
  count: number,
  start: (index: number) => number,
  range: (start: number, end: number) => Promise<Uint8Array>,
): AsyncGenerator<Stretch & { bytes: Uint8Array }> {
  const all = Array.from({ length: count }, (_, index) => index)
  const groups = stretches(all, start, 0, SCAN_BYTES)
  return readAhead((step) => {
    const group = groups[step]
    return group && range(start(group.first), start(group.end)).then((bytes) => ({ ...group, bytes }))
  })
}
