/** Compares the target with the source, record by record: a sample after copying, or everything. */
import { fitting } from './fitting.ts'
import { differingFields, type RecordField } from './same-record.ts'
import { deletion, recordOp, type Target } from './target.ts'
import type { SourceReader, SourceRecord } from './types.ts'

export interface Difference {
  id: string
  /** `missing`: only in the source; `extra`: only here; else the fields that differ. */
  what: 'missing' | 'extra' | RecordField[]
}

export interface Comparison {
  /** Of the source. */
  compared: number
  missing: number
  extra: number
  different: number
  /** The first ones. */
  examples: Difference[]
}

const EXAMPLES = 20
const FETCH = 1_000

const nothing = (): Comparison => ({ compared: 0, missing: 0, extra: 0, different: 0, examples: [] })

export function isEqual({ missing, extra, different }: Comparison): boolean {
  return missing + extra + different === 0
}

/** Reads each of the ids again, from both sides. */
export async function verifySample(reader: SourceReader, target: Target, ids: readonly string[]): Promise<Comparison> {
  const result = nothing()
  for (let i = 0; i < ids.length; i += FETCH) {
    const some = ids.slice(i, i + FETCH)
    const [source, here] = [await reader.fetch(some), await target.get(some)]
    for (const id of some) {
      result.compared++
      const [a, b] = [source.get(id), here.get(id)]
      // Deleted from a live source since.
      if (a === undefined && b !== undefined) note(result, { id, what: 'extra' })
      else if (a !== undefined) judge(result, a, b)
    }
  }
  return result
}

export interface CompareOptions {
  /** Make the target equal: add, replace, delete. */
  sync: boolean
  onProgress?: (compared: number) => Promise<void>
}

/** Everything, both ways. Holds the source's ids in memory. */
export async function compareAll(reader: SourceReader, target: Target, options: CompareOptions): Promise<Comparison> {
  const result = nothing()
  const ids = new Set<string>()
  for await (const page of fitting(reader.pages(null))) {
    const here = await target.get(page.records.map(({ id }) => id))
    const wrong: SourceRecord[] = []
    for (const record of page.records) {
      ids.add(record.id)
      result.compared++
      if (!judge(result, record, here.get(record.id))) wrong.push(record)
    }
    // An upsert would leave keys of the metadata behind.
    const mend = wrong.flatMap((record) => [
      ...(here.has(record.id) ? [deletion(record.id)] : []),
      recordOp('add', record),
    ])
    if (options.sync) await target.write(mend)
    await options.onProgress?.(result.compared)
  }
  for await (const page of target.ids()) {
    const unseen = page.filter((id) => !ids.has(id))
    // A live source's pages shift when records are deleted, so one may have been passed over: it is asked by id.
    const still = await reader.fetch(unseen)
    const extra = unseen.filter((id) => !still.has(id))
    for (const id of extra) note(result, { id, what: 'extra' })
    if (options.sync) await target.write(extra.map(deletion))
  }
  if (options.sync) await target.compact()
  return result
}

/** @returns whether they are the same */
function judge(result: Comparison, source: SourceRecord, here: SourceRecord | undefined): boolean {
  if (here === undefined) {
    note(result, { id: source.id, what: 'missing' })
    return false
  }
  const fields = differingFields(source, here)
  if (fields.length > 0) note(result, { id: source.id, what: fields })
  return fields.length === 0
}

function note(result: Comparison, difference: Difference): void {
  result[typeof difference.what === 'string' ? difference.what : 'different']++
  if (result.examples.length < EXAMPLES) result.examples.push(difference)
}
