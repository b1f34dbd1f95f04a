/** The keys of a collection's metadata and their most frequent values, read from the records. */
import type { Filter } from '../model/filter.ts'
import type { FieldInfo, FieldsReport } from '../model/maintenance.ts'
import type { ReadOptions } from '../model/read.ts'
import type { MetadataScalar, MetadataValue } from '../model/record.ts'
import type { Collection } from '../model/store.ts'
import { isSparseVector, parseMetadata } from '../records/metadata.ts'

const PAGE_RECORDS = 2_000
const MAX_DISTINCT = 10_000
const MAX_TEXT = 500

export interface FieldsRequest extends ReadOptions {
  /** Only this key. */
  key?: string
  /** Only records that match. */
  filter?: Filter
  /** Values listed for each key. Default 20. */
  values?: number
  /** Read the metadata of at most this many records, the first ones. Default 100,000. */
  maxRecords?: number
}

/** Takes time in proportion to the records that are read; all of them are of one state. */
export async function fieldsOf(collection: Collection, request: FieldsRequest = {}): Promise<FieldsReport> {
  const { key, values = 20, maxRecords = 100_000, filter, ...read } = request
  const counters = new Map<string, FieldCounter>()
  let records = 0
  let pageToken: string | undefined
  let version = 0
  do {
    const page = await collection.get({
      ...read,
      ...(filter && { filter }),
      ...(pageToken !== undefined && { pageToken }),
      limit: Math.min(PAGE_RECORDS, maxRecords - records),
      include: { metadatas: true },
    })
    version = page.version
    records += page.ids.length
    for (const text of page.metadatas ?? []) {
      if (text === null) continue
      for (const [name, value] of parseMetadata(text)) {
        if (key !== undefined && name !== key) continue
        let counter = counters.get(name)
        if (!counter) counters.set(name, (counter = new FieldCounter(name)))
        counter.add(value)
      }
    }
    pageToken = page.pageToken
  } while (pageToken !== undefined && records < maxRecords)
  const fields = [...counters.values()].map((counter) => counter.info(values))
  fields.sort((a, b) => (a.key < b.key ? -1 : 1))
  return { version, records, complete: pageToken === undefined, fields }
}

class FieldCounter {
  readonly #key: string
  readonly #types = new Set<string>()
  readonly #counts = new Map<MetadataScalar, number>()
  #records = 0
  #uncounted = false

  constructor(key: string) {
    this.#key = key
  }

  add(value: MetadataValue): void {
    this.#records++
    if (isSparseVector(value)) {
      this.#types.add('sparse_vector')
      this.#uncounted = true
      return
    }
    if (!Array.isArray(value)) {
      this.#types.add(typeOf(value))
      this.#count(value)
      return
    }
    const [first] = value
    if (first !== undefined) this.#types.add(`${typeOf(first)}[]`)
    for (const member of new Set(value)) this.#count(member)
  }

  #count(value: MetadataScalar): void {
    const known = this.#counts.get(value)
    if (known !== undefined) this.#counts.set(value, known + 1)
    else if (this.#counts.size >= MAX_DISTINCT || (typeof value === 'string' && value.length > MAX_TEXT))
      this.#uncounted = true
    else this.#counts.set(value, 1)
  }

  info(values: number): FieldInfo {
    const counted = [...this.#counts].sort(([a, n], [b, m]) => m - n || compare(a, b))
    return {
      key: this.#key,
      types: [...this.#types].sort(),
      records: this.#records,
      distinct: counted.length,
      uncounted: this.#uncounted,
      values: counted.slice(0, values).map(([value, records]) => ({ value: plain(value), records })),
    }
  }
}

function typeOf(value: MetadataScalar): string {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'bigint' ? 'int' : 'float'
}

function plain(value: MetadataScalar): MetadataScalar {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function compare(a: MetadataScalar, b: MetadataScalar): number {
  if (a === b) return 0
  if (typeof a === typeof b) return a < b ? -1 : 1
  return typeof a < typeof b ? -1 : 1
}
