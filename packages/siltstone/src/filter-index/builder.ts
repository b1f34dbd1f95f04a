/**
 * Builds the filter indexes of a segment while its rows are written. Memory: one or two bytes per value in a list, 50 MB
 * for numbers and hashed strings, and 50 MB for the trigrams of documents. The rest goes to the scratch disk.
 */
import { utf8Encode } from '#codec'
import type { Pending, Sink } from '../format/segment/sink.ts'
import type { SegmentWriter } from '../format/segment/writer.ts'
import { memoryScratch, type Scratch, type ScratchFile } from '../ports/scratch.ts'
import type { Metadata, MetadataScalar } from '../model/record.ts'
import type { ValueKind } from '../model/schema.ts'
import { encodeRowSet } from '../format/roaring.ts'
import type { GrowingPairs } from './growing.ts'
import { KeyBuilder } from './key-builder.ts'
import { type IndexDirectory, type KeyParts, MAX_KEYS, METADATA_VALUES, type TermRow } from './layout.ts'
import { writeRun } from './runs.ts'
import { TrigramWriter } from './trigram-writer.ts'
import { writePart } from './write-part.ts'

const MAX_PAIRS = 4_000_000
/** Rows between two checks of the number of pairs. */
const CHECK_ROWS = 1_024

export class FilterIndexBuilder {
  readonly #keys = new Map<string, Builders>()
  readonly #trigrams: TrigramWriter
  readonly #scratch: Scratch
  readonly #maxPairs: number
  #file: ScratchFile | undefined
  #complete = true

  /** @param maxPairs the most pairs of numbers and hashed strings in memory, 12 bytes each */
  constructor(scratch: Scratch = memoryScratch, maxPairs = MAX_PAIRS) {
    this.#scratch = scratch
    this.#maxPairs = maxPairs
    this.#trigrams = new TrigramWriter(scratch)
  }

  /** Rows come in order, from 0; metadata as `parseForFilter` gives them. If a promise is returned, wait for it before the next call. */
  add(row: number, metadata: Metadata | null, document: string | null): Pending {
    if (metadata !== null) this.#addMetadata(row, metadata)
    const indexed = document === null ? undefined : this.#trigrams.add(row, document)
    if (row % CHECK_ROWS !== CHECK_ROWS - 1) return indexed
    const large = this.#largeRuns()
    return large.length === 0 ? indexed : Promise.all([indexed, this.#spill(large)]).then(() => undefined)
  }

  /** The runs to spill; none while there is enough memory. */
  #largeRuns(): GrowingPairs[] {
    const runs = [...this.#keys.values()].flatMap(({ scalar, member }) => [...scalar.runs, ...member.runs])
    const held = runs.reduce((sum, run) => sum + run.held, 0)
    // Runs of less than half the mean size stay in memory: together they hold at most half of the pairs.
    return held > this.#maxPairs ? runs.filter((run) => run.held * runs.length * 2 >= held) : []
  }

  async #spill(runs: readonly GrowingPairs[]): Promise<void> {
    this.#file ??= await this.#scratch.create()
    for (const run of runs) await run.spill(this.#file)
  }

  #addMetadata(row: number, metadata: Metadata): void {
    for (const [key, value] of metadata) {
      const builders = this.#key(key)
      if (!builders) continue
      if (Array.isArray(value)) {
        for (const member of value) builders.add('member', member, row)
      } else if (typeof value === 'object') {
        // A sparse vector matches no filter.
        builders.kinds.add('sparse_vector')
      } else builders.add('scalar', value, row)
    }
  }

  #key(key: string): Builders | undefined {
    let builders = this.#keys.get(key)
    if (!builders) {
      if (this.#keys.size >= MAX_KEYS) {
        this.#complete = false
        return undefined
      }
      builders = new Builders()
      this.#keys.set(key, builders)
    }
    return builders
  }

  /** Call after the last row. */
  async sections(writer: SegmentWriter): Promise<void> {
    await writer.addSection(METADATA_VALUES.name, async (sink) => {
      const written: [string, { scalar: WrittenKey; member: WrittenKey; kinds: ValueKind[] }][] = []
      for (const [key, { scalar, member, kinds }] of this.#keys) {
        const lists = { scalar: await writeLists(sink, scalar), member: await writeLists(sink, member) }
        written.push([key, { ...lists, kinds: [...kinds].sort() }])
      }
      const headAt = sink.position
      // Pairs, since `__proto__` may be a key.
      const keys: IndexDirectory['keys'] = []
      for (const [key, { scalar, member, kinds }] of written) {
        const parts = { scalar: await writeHead(sink, scalar), member: await writeHead(sink, member) }
        keys.push([
          key,
          {
            ...(Object.keys(parts.scalar).length > 0 && { scalar: parts.scalar }),
            ...(Object.keys(parts.member).length > 0 && { member: parts.member }),
            kinds,
          },
        ])
      }
      const directory = await writePart(sink, utf8Encode(JSON.stringify({ keys, complete: this.#complete })))
      return { type: METADATA_VALUES.type, params: { headBytes: sink.position - headAt }, directory }
    })
    await this.#trigrams.section(writer)
  }

  /** Frees the scratch disk. */
  async close(): Promise<void> {
    await Promise.all([this.#trigrams.close(), this.#file?.discard()])
  }
}

class Builders {
  readonly scalar = new KeyBuilder()
  readonly member = new KeyBuilder()
  readonly kinds = new Set<ValueKind>()

  add(form: 'scalar' | 'member', value: MetadataScalar, row: number): void {
    if (typeof value === 'string') this.kinds.add('string')
    else if (typeof value === 'boolean') this.kinds.add('bool')
    else this.kinds.add(typeof value === 'bigint' || Number.isInteger(value) ? 'int' : 'float')
    this[form].add(value, row)
  }
}

/** A key whose lists and pages are written, with what remains to be written to the head. */
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
