/**
 * Builds the filter indexes of a segment while its rows are written. Memory: a byte or two for each value in a
 * list, and 50 MB each for numbers and hashed strings and for the trigrams of documents; what is more goes to the scratch
 * disk.
 */
import { utf8Encode } from '#codec'
import type { Pending, Sink } from '../format/segment/sink.ts'
import type { SegmentWriter } from '../format/segment/writer.ts'
import { memoryScratch, type Scratch, type ScratchFile } from '../ports/scratch.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import { encodeRowSet } from '../format/roaring.ts'
import type { GrowingPairs } from './growing.ts'
import { KeyBuilder } from './key-builder.ts'
import { type IndexDirectory, type KeyParts, MAX_KEYS, METADATA_VALUES, type TermRow } from './layout.ts'
import { writeRun } from './runs.ts'
import { TrigramWriter } from './trigram-writer.ts'
import { writePart } from './write-part.ts'

const MAX_PAIRS = 4_000_000
/** How often it is looked whether they are too many. */
const CHECK_ROWS = 1_024

export class FilterIndexBuilder {
  readonly #keys = new Map<string, { scalar: KeyBuilder; member: KeyBuilder }>()
  readonly #trigrams: TrigramWriter
  readonly #scratch: Scratch
  readonly #maxPairs: number
  #file: ScratchFile | undefined
  #complete = true

  /** @param maxPairs kept in memory: 12 bytes each */
  constructor(scratch: Scratch = memoryScratch, maxPairs = MAX_PAIRS) {
    this.#scratch = scratch
    this.#maxPairs = maxPairs
    this.#trigrams = new TrigramWriter(scratch)
  }

  /** Rows in order, from 0. Wait for the promise, if there is one, before the next call. */
  add(row: number, metadata: string | null, document: string | null): Pending {
    if (metadata !== null) this.#addMetadata(row, metadata)
    const indexed = document === null ? undefined : this.#trigrams.add(row, document)
    if (row % CHECK_ROWS !== CHECK_ROWS - 1) return indexed
    const large = this.#largeRuns()
    return large.length === 0 ? indexed : Promise.all([indexed, this.#spill(large)]).then(() => undefined)
  }

  /** Those to be spilled. */
  #largeRuns(): GrowingPairs[] {
    const runs = [...this.#keys.values()].flatMap(({ scalar, member }) => [...scalar.runs, ...member.runs])
    const held = runs.reduce((sum, run) => sum + run.held, 0)
    // Few pairs of many keys stay: they are less than is kept anyway.
    return held > this.#maxPairs ? runs.filter((run) => run.held * runs.length * 2 >= held) : []
  }

  async #spill(runs: readonly GrowingPairs[]): Promise<void> {
    this.#file ??= await this.#scratch.create()
    for (const run of runs) await run.spill(this.#file)
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
      const directory = await writePart(sink, utf8Encode(JSON.stringify({ keys, complete: this.#complete })))
      return { type: METADATA_VALUES.type, params: { headBytes: sink.position - headAt }, directory }
    })
    await this.#trigrams.section(writer)
  }

  /** Gives the scratch disk back. */
  async close(): Promise<void> {
    await Promise.all([this.#trigrams.close(), this.#file?.discard()])
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
    const { offset, length, crc32 } = await writePart(sink, encodeRowSet(list))
    rows.push([term, offset, length, crc32, list.length])
  }
  return {
    terms: rows,
    numbers: numbers.count > 0 ? await writeRun(sink, numbers) : undefined,
    hashes: hashes && (await writeRun(sink, hashes)),
    rounded,
  }
}

async function writeHead(sink: Sink, { terms, numbers, hashes, rounded }: WrittenKey): Promise<KeyParts> {
  const parts: KeyParts = {}
  if (terms.length > 0) parts.terms = await writePart(sink, utf8Encode(JSON.stringify(terms)))
  if (rounded) parts.rounded = true
  if (numbers) parts.numbers = { ...numbers.run, pages: await writePart(sink, numbers.directory) }
  if (hashes) parts.hashes = { ...hashes.run, pages: await writePart(sink, hashes.directory) }
  return parts
}
