import { columnsOf, compileFilter } from '../filter/evaluate.ts'
import type { Filter } from '../model/filter.ts'
import type { RecordRef, View } from '../log/view.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { Pause } from '../pacer.ts'
import { batchRows, clausesOf } from './select.ts'
import { inSlices } from './slices.ts'

/** @returns the records that the filter admits, in the same order */
export async function filterRefs(
  view: View,
  refs: readonly RecordRef[],
  filter: Filter,
  pause: Pause,
): Promise<RecordRef[]> {
  const test = compileFilter(filter)
  const columns = columnsOf(filter)
  return inSlices(refs, batchRows(clausesOf(filter)), pause, async (batch) => {
    const [ids, metadatas, documents] = await Promise.all([
      view.ids(batch),
      columns.metadata ? view.metadatas(batch) : undefined,
      columns.document ? view.documents(batch) : undefined,
    ])
    return batch.filter((_, k) => {
      const text = metadatas?.[k] ?? null
      return test({
        id: ids[k] as string,
        metadata: text === null ? null : parseForFilter(text),
        document: documents?.[k] ?? null,
      })
    })
  })
}
