/** Cuts files into parts that are named by the content of the whole file. */
import { createHash } from 'node:crypto'
import { partKey } from '../format/published.ts'
import type { PublishTarget } from './publish-target.ts'

export const DATA = 'data/'
export const PART = /^data\/[0-9a-f]{16}-\d+\.bin$/
const LEAST_PART_BYTES = 64 * 1024
const MOST_PARTS = 200
/** Parts that are written at the same time: of a bucket, each is a request. */
const AT_ONCE = 16

export class PartWriter {
  readonly #target: PublishTarget
  readonly #there: Set<string>
  readonly #used = new Set<string>()
  /** Of the files that are used, by their key. */
  readonly partBytes: Record<string, number> = {}
  written = 0
  writtenBytes = 0

  /** @param there names of the files in `data/` */
  constructor(target: PublishTarget, there: Iterable<string>) {
    this.#target = target
    this.#there = new Set(there)
  }

  /** Number of parts that are used. */
  get files(): number {
    return this.#used.size
  }

  /** @param wholeBytes a file of at most this many bytes is one part @returns its key */
  async write(bytes: Uint8Array, wholeBytes = LEAST_PART_BYTES): Promise<string> {
    const key = `${DATA}${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
    let partBytes = Math.max(1, LEAST_PART_BYTES, wholeBytes)
    while (bytes.length / partBytes > MOST_PARTS) partBytes *= 2
    const parts = this.#use(key, bytes.length, partBytes).map((name, part) => ({ name, start: part * partBytes }))
    const missing = parts.filter(({ name }) => !this.#there.has(name))
    for (let i = 0; i < missing.length; i += AT_ONCE)
      await Promise.all(
        missing.slice(i, i + AT_ONCE).map(async ({ name, start }) => {
          const content = bytes.subarray(start, start + partBytes)
          await this.#target.write(name, content)
          this.written++
          this.writtenBytes += content.length
        }),
      )
    return key
  }

  /** Uses a file of an earlier publication again. Call `hasAll` first. */
  keep(key: string, sizeBytes: number, partBytes: number): void {
    this.#use(key, sizeBytes, partBytes)
  }

  /** Whether all parts of a file are there. */
  hasAll(key: string, sizeBytes: number, partBytes: number): boolean {
    return partsOf(key, sizeBytes, partBytes).every((name) => this.#there.has(name))
  }

  /** A part that is there turned out to be damaged. */
  distrust(name: string): void {
    this.#there.delete(name)
  }

  /** Parts of no file that is used. */
  unused(): string[] {
    return [...this.#there].filter((name) => !this.#used.has(name) && PART.test(name))
  }

  #use(key: string, sizeBytes: number, partBytes: number): string[] {
    const parts = partsOf(key, sizeBytes, partBytes)
    for (const name of parts) this.#used.add(name)
    this.partBytes[key] = partBytes
    return parts
  }
}

function partsOf(key: string, sizeBytes: number, partBytes: number): string[] {
  return Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, part) => partKey(key, part))
}
