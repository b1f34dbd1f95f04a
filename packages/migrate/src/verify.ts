/** Compares the target with the source record by record: a sample after copying, or all records. */
import { addLeftOut, type LeftOut, nothingLeftOut } from './left-out.ts'
import type { PreparedReader } from './prepared-reader.ts'
import { differingFields, type RecordField } from './same-record.ts'
import { deletion, recordOp, type Target } from './target.ts'
import type { SourceRecord } from './types.ts'

export interface Difference {
  id: string
  /** `missing`: only in the source; `extra`: only in the target; else the fields that differ. */
  what: 'missing' | 'extra' | RecordField[]
}

export interface Comparison {
  /** Records of the source. */
  compared: number
  missing: number
  extra: number
  different: number
  /** The first differences. */
  examples: Difference[]
}

const EXAMPLES = 20
const FETCH_RECORDS = 1_000

const noDifferences = (): Comparison => ({ compared: 0, missing: 0, extra: 0, different: 0, examples: [] })

export function isEqual({ missing, extra, different }: Comparison): boolean {
  return missing + extra + different === 0
}

/** Reads each of the ids again, from both sides. */
export async function verifySample(
  reader: PreparedReader,
  target: Target,
  ids: readonly string[],
): Promise<Comparison> {
  const result = noDifferences()
  for (let i = 0; i < ids.length; i += FETCH_RECORDS) {
    const batch = ids.slice(i, i + FETCH_RECORDS)
    const [source, present] = [await reader.fetch(batch), await target.get(batch)]
    for (const id of batch) {
      result.compared++
      const [a, b] = [source.get(id), present.get(id)]
      // Deleted from a live source after it was copied.
      if (a === undefined && b !== undefined) addDifference(result, { id, what: 'extra' })
      else if (a !== undefined) compareRecord(result, a, b)
    }
  }
  return result
}

export interface CompareOptions {
  /** Make the target equal: add, replace and delete records. Nothing is deleted when a file of the source cannot be read. */
  sync: boolean
  onProgress?: (compared: number) => Promise<void>
}

/** Compares all records, in both directions. Holds the source's ids in memory. Records that
 * cannot be migrated are counted in `left`, not compared. */
export async function compareAll(
  reader: PreparedReader,
  target: Target,
  options: CompareOptions,
): Promise<{ comparison: Comparison; left: LeftOut; embedded: number }> {
  const result = noDifferences()
  const left = nothingLeftOut()
  let embedded = 0
  addLeftOut(left, reader.collection.faults ?? [])
  const ids = new Set<string>()
  for await (const page of reader.pages(null)) {
    addLeftOut(left, page.skipped)
    for (const { id } of page.skipped) ids.add(id)
    embedded += page.records.filter(({ vector }) => vector === null).length
    const present = await target.get(page.records.map(({ id }) => id))
    const wrong: SourceRecord[] = []
    for (const record of page.records) {
      ids.add(record.id)
      result.compared++
      if (!compareRecord(result, record, present.get(record.id))) wrong.push(record)
    }
    if (options.sync && wrong.length > 0) {
      const { records, skipped } = await reader.complete(wrong, target)
      addLeftOut(left, skipped)
      // An upsert merges metadata: keys that the source does not have would stay.
      const repairs = records.flatMap((record) => [
        ...(present.has(record.id) ? [deletion(record.id)] : []),
        recordOp('add', record),
      ])
      await target.write(repairs)
    }
    await options.onProgress?.(result.compared)
  }
  for await (const page of target.ids()) {
    const unseen = page.filter((id) => !ids.has(id))
    // A live source's pages shift when records are deleted, so the pages may have missed one: ask for it by id.
    const found = await reader.fetch(unseen)
    const extra = unseen.filter((id) => !found.has(id))
    for (const id of extra) addDifference(result, { id, what: 'extra' })
    // What an unreadable part of the source holds is not known: it may hold these records.
    if (options.sync && left.kinds.file === undefined) await target.write(extra.map(deletion))
  }
  if (options.sync) await target.compact()
  return { comparison: result, left, embedded }
}

/** @returns whether the records are the same */
function compareRecord(result: Comparison, source: SourceRecord, present: SourceRecord | undefined): boolean {
  if (present === undefined) {
    addDifference(result, { id: source.id, what: 'missing' })
    return false
  }
  // A vector that cannot be read in the source was embedded: there is nothing to compare it with.
  const comparable = source.vector === null ? { ...source, vector: present.vector } : source
  const fields = differingFields(comparable, present)
  if (fields.length > 0) addDifference(result, { id: source.id, what: fields })
  return fields.length === 0
}

function addDifference(result: Comparison, difference: Difference): void {
  result[typeof difference.what === 'string' ? difference.what : 'different']++
  if (result.examples.length < EXAMPLES) result.examples.push(difference)
}
