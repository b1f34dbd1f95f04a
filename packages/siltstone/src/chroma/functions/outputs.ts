/** The records that functions make of a collection's metadata, with the ids and texts that Chroma's clients read. */
import { invalid } from '../../errors.ts'
import type { MetadataValue } from '../../model/record.ts'
import { isSparseVector, parseMetadata, stringifyMetadata } from '../../records/metadata.ts'
import type { FunctionName } from './attached-function.ts'

/** More different values than this are not counted: each becomes a record. */
export const MAX_VALUES = 100_000

const TOTAL = 'summary::s:total_count'

export interface OutputRecord {
  document: string
  metadata: string
}

/** Sees the metadata of all records, then gives the output. */
export interface OutputFunction {
  observe(metadata: string | null): void
  /** By id; the first one is there whatever the input holds. */
  output(): Map<string, OutputRecord>
}

export function outputFunction(name: FunctionName): OutputFunction {
  return name === 'statistics' ? new Statistics() : new RecordCounter()
}

class RecordCounter implements OutputFunction {
  #count = 0n

  observe(): void {
    this.#count++
  }

  output(): Map<string, OutputRecord> {
    const metadata = stringifyMetadata(new Map([['total_count', this.#count]]))
    return new Map([['function_output', { document: `${this.#count} records`, metadata }]])
  }
}

interface Counted {
  key: string
  type: string
  value: string
  label: string | undefined
  count: bigint
}

/** How many records have each value of each key. */
class Statistics implements OutputFunction {
  readonly #values = new Map<string, Counted>()
  #count = 0n

  observe(metadata: string | null): void {
    this.#count++
    if (metadata === null) return
    for (const [key, value] of parseMetadata(metadata))
      for (const [prefix, type, text, label] of partsOf(value))
        this.#add(`${key}::${prefix}:${text}`, key, type, text, label)
  }

  #add(id: string, key: string, type: string, value: string, label: string | undefined): void {
    const known = this.#values.get(id)
    if (known) {
      known.count++
      known.label ??= label
      return
    }
    if (this.#values.size >= MAX_VALUES)
      throw invalid('too-many-values', `The statistics would have more than ${MAX_VALUES} different values`)
    this.#values.set(id, { key, type, value, label, count: 1n })
  }

  output(): Map<string, OutputRecord> {
    const records = new Map<string, OutputRecord>()
    const total = { key: 'summary', type: 'str', value: 'total_count', label: undefined, count: this.#count }
    for (const [id, counted] of [[TOTAL, total] as const, ...this.#values]) {
      // A key of the input may be called like the summary.
      if (records.has(id)) continue
      const { key, type, value, label, count } = counted
      const metadata = new Map<string, MetadataValue>([
        ['count', count],
        ['key', key],
        ['type', type],
        ['value', value],
      ])
      if (label !== undefined) metadata.set('value_label', label)
      records.set(id, { document: `${count} records: ${id}`, metadata: stringifyMetadata(metadata) })
    }
    return records
  }
}

type Part = [prefix: string, type: string, text: string, label?: string]

function partsOf(value: MetadataValue): Part[] {
  if (Array.isArray(value)) return value.flatMap(partsOf)
  if (typeof value === 'string') return [['s', 'str', value]]
  if (typeof value === 'boolean') return [['b', 'bool', String(value)]]
  if (typeof value === 'bigint') return [['i', 'int', String(value)]]
  // Rust's `{:.16e}` writes no plus sign.
  if (typeof value === 'number') return [['f', 'float', value.toExponential(16).replace('e+', 'e')]]
  if (!isSparseVector(value)) return []
  return value.indices.map((index, i) => {
    const token = value.tokens?.[i]
    return token === undefined ? ['sv', 'sparse', String(index)] : ['sv', 'sparse', String(index), token]
  })
}
