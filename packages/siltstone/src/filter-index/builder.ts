/**
 * Builds the filter indexes of a segment while its rows are written. What the indexes of metadata of other segments say of rows
 * that come from these is merged, without a look at the rows' metadata. Trigrams are made again: they are of groups of rows, which change.
 * Memory: one or two bytes per value in a list, `memoryBytes` for numbers and hashed strings, as much and 16 MB for the trigrams of
 * documents, and while indexes are merged 4 bytes per value of a key. The rest goes to the scratch disk.
 */
import { utf8Encode } from '#codec'
import { type OldSegment, segmentThatKnows } from '../format/segment/old-segment.ts'
import type { Pending } from '../format/segment/sink.ts'
import type { SegmentWriter } from '../format/segment/writer.ts'
import { memoryScratch, type Scratch, type ScratchFile } from '../ports/scratch.ts'
import type { Metadata, MetadataScalar } from '../model/record.ts'
import type { ValueKind } from '../model/schema.ts'
import type { GrowingPairs } from './growing.ts'
import { KeyBuilder } from './key-builder.ts'
import { type IndexDirectory, MAX_KEYS, METADATA_VALUES, PAIR_BYTES } from './layout.ts'
import { type OldParts, writeHead, writeLists, type WrittenKey } from './merged-key.ts'
import { OldValues } from './old-values.ts'
import { TRIGRAM_PAIR_BYTES } from './trigram-runs.ts'
import { TrigramWriter } from './trigram-writer.ts'
import { writePart } from './write-part.ts'

const MEMORY_BYTES = 40 * 1024 * 1024
/** Rows between two checks of the number of pairs. */
const CHECK_ROWS = 1_024

export interface FilterIndexOptions {
  /** Default: memory. */
  scratch?: Scratch | undefined
  /** For numbers and hashed strings, and as much for trigrams. Default 40 MB. */
  memoryBytes?: number | undefined
}

export class FilterIndexBuilder {
  readonly #keys = new Map<string, Builders>()
  readonly #trigrams: TrigramWriter
  readonly #scratch: Scratch
  /** By the place of the segment; undefined: its metadata is indexed again. */
  readonly #old: readonly (OldValues | undefined)[]
  readonly #maxPairs: number
  #file: ScratchFile | undefined
  #complete = true

  /** @param old see `merging` */
  constructor(options: FilterIndexOptions = {}, old: readonly (OldValues | undefined)[] = []) {
    const { scratch = memoryScratch, memoryBytes = MEMORY_BYTES } = options
    this.#scratch = scratch
    this.#maxPairs = Math.ceil(memoryBytes / PAIR_BYTES)
    this.#old = old
    this.#trigrams = new TrigramWriter(scratch, Math.ceil(memoryBytes / TRIGRAM_PAIR_BYTES))
  }

  /** @param segments that rows come from @throws SiltstoneError `corrupt` when an index of theirs is damaged */
  static async merging(options: FilterIndexOptions, segments: readonly OldSegment[]): Promise<FilterIndexBuilder> {
    const old = await Promise.all(segments.map((segment) => OldValues.of(segment)))
    const keys = new Set(old.flatMap((values) => [...(values?.keys.keys() ?? [])]))
    // Which keys are left out depends on the order of the rows.
    return new FilterIndexBuilder(options, keys.size > MAX_KEYS ? [] : old)
  }

  /** Whether a row's metadata must be given. @param origin see `originOf`; undefined: it was in no segment */
  needsMetadata(origin: number | undefined): boolean {
    return this.#old[segmentThatKnows(origin, 'metadata')] === undefined
  }

  /**
   * Rows come in order, from 0; metadata as `parseForFilter` gives them. If a promise is returned, wait for it before the next call.
   * @param origin see `originOf`; undefined: the row was in no segment
   */
  add(row: number, metadata: Metadata | null, document: string | null, origin?: number): Pending {
    if (metadata !== null && this.needsMetadata(origin)) this.#addMetadata(row, metadata)
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

  /** Call after the last row, when the maps of old segments are filled. */
  async sections(writer: SegmentWriter): Promise<void> {
    await writer.addSection(METADATA_VALUES.name, async (sink) => {
      const written: [string, { scalar: WrittenKey; member: WrittenKey; kinds: ReadonlySet<ValueKind> }][] = []
      const { names, complete } = this.#names()
      for (const key of names) {
        const fresh = this.#keys.get(key)
        const kinds = new Set(fresh?.kinds)
        for (const values of this.#old)
          if (values?.isWhole) for (const kind of values.keys.get(key)?.kinds ?? []) kinds.add(kind)
        const listsOf = (form: 'scalar' | 'member') => writeLists(sink, fresh?.[form], this.#oldParts(key, form), kinds)
        const lists = { scalar: await listsOf('scalar'), member: await listsOf('member') }
        if (kinds.size > 0) written.push([key, { ...lists, kinds }])
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
            kinds: [...kinds].sort(),
          },
        ])
      }
      const directory = await writePart(sink, utf8Encode(JSON.stringify({ keys, complete })))
      return { type: METADATA_VALUES.type, params: { headBytes: sink.position - headAt }, directory }
    })
    await this.#trigrams.section(writer)
  }

  /** The keys to write, in order. */
  #names(): { names: string[]; complete: boolean } {
    const names = new Set(this.#old.flatMap((values) => [...(values?.keys.keys() ?? [])]))
    let complete = this.#complete
    for (const key of this.#keys.keys())
      if (names.has(key) || names.size < MAX_KEYS) names.add(key)
      else complete = false
    return { names: [...names].sort(), complete }
  }

  #oldParts(key: string, form: 'scalar' | 'member'): OldParts[] {
    return this.#old.flatMap((values) => {
      const parts = values?.keys.get(key)?.[form]
      return values && parts ? [{ values, parts }] : []
    })
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
