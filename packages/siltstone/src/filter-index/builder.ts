/**
 * Builds the filter indexes of a segment while its rows are written. Memory: 4 bytes for each value in a list, 12 for
 * each number or hashed string, and 50 MB for the trigrams of documents, what is more on the scratch disk.
 */
import { crcHex } from '../format/checksum.ts'
import type { Pending, Sink } from '../format/segment/sink.ts'
import type { SegmentWriter } from '../format/segment/writer.ts'
import { memoryScratch, type Scratch } from '../platform/scratch.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import { encodeRowSet } from '../snapshot/row-set.ts'
import { KeyBuilder } from './key-builder.ts'
import { type IndexDirectory, type KeyParts, MAX_KEYS, METADATA_VALUES, type Part, type TermRow } from './layout.ts'
import { writeRun } from './runs.ts'
import { TrigramWriter } from './trigram-writer.ts'

export class FilterIndexBuilder {
  readonly #keys = new Map<string, { scalar: KeyBuilder; member: KeyBuilder }>()
  readonly #trigrams: TrigramWriter
  #complete = true

  constructor(scratch: Scratch = memoryScratch) {
    this.#trigrams = new TrigramWriter(scratch)
  }

  /** Rows in order, from 0. Wait for the promise, if there is one, before the next call. */
  add(row: number, metadata: string | null, document: string | null): Pending {
    if (metadata !== null) this.#addMetadata(row, metadata)
    return document === null ? undefined : this.#trigrams.add(row, document)
  }

  #addMetadata(row: number, text: string): void {
    for (const [key, value] of parseForFilter(text)) {
      const scalar = typeof value !== 'object'
      // A sparse vector matches no filter.
      if (!scalar && !Array.isArray(value)) continue
      const builders = this.#key(key)
      if (!builders) continue
      if (scalar) builders.scalar.add(value, row)
      else for (const member of value) builders.member.add(member, row)
    }
  }

  #key(key: string): { scalar: KeyBuilder; member: KeyBuilder } | undefined {
    let builders = this.#keys.get(key)
    if (!builders) {
      if (this.#keys.size >= MAX_KEYS) {
        this.#complete = false
        return undefined
      }
      builders = { scalar: new KeyBuilder(), member: new KeyBuilder() }
      this.#keys.set(key, builders)
    }
    return builders
  }

  /** After the last row. */
  async sections(writer: SegmentWriter): Promise<void> {
    await writer.addSection(METADATA_VALUES.name, async (sink) => {
      const written: [string, { scalar: WrittenKey; member: WrittenKey }][] = []
      for (const [key, { scalar, member }] of this.#keys)
        written.push([key, { scalar: await writeLists(sink, scalar), member: await writeLists(sink, member) }])
      const headAt = sink.position
      // Pairs, since `__proto__` may be a key.
      const keys: IndexDirectory['keys'] = []
      for (const [key, { scalar, member }] of written) {
        const parts = { scalar: await writeHead(sink, scalar), member: await writeHead(sink, member) }
        keys.push([
          key,
          {
            ...(Object.keys(parts.scalar).length > 0 && { scalar: parts.scalar }),
            ...(Object.keys(parts.member).length > 0 && { member: parts.member }),
          },
        ])
      }
      const directory = await writePart(sink, Buffer.from(JSON.stringify({ keys, complete: this.#complete })))
      return { type: METADATA_VALUES.type, params: { headBytes: sink.position - headAt }, directory }
    })
    await this.#trigrams.section(writer)
  }

  /** Gives the scratch disk back. */
  close(): Promise<void> {
    return this.#trigrams.close()
  }
}

/** A key whose lists and pages are written, and what of it belongs to the head. */
interface WrittenKey {
  terms: TermRow[]
  numbers: Awaited<ReturnType<typeof writeRun>> | undefined
  hashes: Awaited<ReturnType<typeof writeRun>> | undefined
  rounded: boolean
}

async function writeLists(sink: Sink, { terms, numbers, hashes, rounded }: KeyBuilder): Promise<WrittenKey> {
  const rows: TermRow[] = []
  for (const [term, growing] of [...terms].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const list = growing.values()
    const { offset, length, crc32 } = await writePart(sink, await encodeRowSet(list))
    rows.push([term, offset, length, crc32, list.length])
  }
  return {
    terms: rows,
    numbers: numbers.count > 0 ? await writeRun(sink, numbers.sorted()) : undefined,
    hashes: hashes && (await writeRun(sink, hashes.sorted())),
    rounded,
  }
}

async function writeHead(sink: Sink, { terms, numbers, hashes, rounded }: WrittenKey): Promise<KeyParts> {
  const parts: KeyParts = {}
  if (terms.length > 0) parts.terms = await writePart(sink, Buffer.from(JSON.stringify(terms)))
  if (rounded) parts.rounded = true
  if (numbers) parts.numbers = { ...numbers.run, pages: await writePart(sink, numbers.directory) }
  if (hashes) parts.hashes = { ...hashes.run, pages: await writePart(sink, hashes.directory) }
  return parts
}

export async function writePart(sink: Sink, bytes: Uint8Array): Promise<Part> {
  const part = { offset: sink.position, length: bytes.length, crc32: crcHex(bytes) }
  await sink.write(bytes)
  return part
}
