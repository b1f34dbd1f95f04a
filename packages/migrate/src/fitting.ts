/** Skips records that violate the rules of deltas: every reader would refuse them. */
import { checkRecord } from 'siltstone/internal'
import { recordOp } from './target.ts'
import type { Skipped, SourcePage, SourceRecord } from './types.ts'

/** @param dimension that all vectors must have; default: the first vector's */
export function fit(
  candidates: readonly SourceRecord[],
  dimension = candidates[0]?.vector?.length,
): Pick<SourcePage, 'records' | 'skipped'> {
  const records: SourceRecord[] = []
  const skipped: Skipped[] = []
  for (const record of candidates) {
    const length = record.vector?.length
    const reason =
      checkRecord(recordOp('add', record)) ??
      (length === dimension ? undefined : `its vector has ${length} values, the collection's vectors have ${dimension}`)
    if (reason === undefined) records.push(record)
    else skipped.push({ id: record.id, reason })
  }
  return { records, skipped }
}

export async function* fitting(pages: AsyncIterable<SourcePage>): AsyncGenerator<SourcePage> {
  let dimension: number | undefined
  for await (const page of pages) {
    dimension ??= page.records[0]?.vector?.length
    const { records, skipped } = fit(page.records, dimension)
    yield { records, skipped: [...page.skipped, ...skipped], cursor: page.cursor }
  }
}
