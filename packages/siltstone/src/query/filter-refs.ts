import { columnsOf, compileFilter } from '../filter/evaluate.ts'
import type { Filter } from '../model/filter.ts'
import type { RecordRef, View } from '../log/view.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import { batchRows, clausesOf } from './select.ts'
import type { Yield } from './slices.ts'

/** @returns the records that the filter admits, in the same order */
export async function filterRefs(
  view: View,
  refs: readonly RecordRef[],
  filter: Filter,
  pause: Yield,
): Promise<RecordRef[]> {
  const test = compileFilter(filter)
  const columns = columnsOf(filter)
  const kept: RecordRef[] = []
  const size = batchRows(clausesOf(filter))
  for (let i = 0; i < refs.length; i += size) {
    const batch = refs.slice(i, i + size)
    const [ids, metadatas, documents] = await Promise.all([
      view.ids(batch),
      columns.metadata ? view.metadatas(batch) : undefined,
      columns.document ? view.documents(batch) : undefined,
    ])
    batch.forEach((ref, k) => {
      const text = metadatas?.[k] ?? null
      if (
        test({
          id: ids[k] as string,
          metadata: text === null ? null : parseForFilter(text),
          document: documents?.[k] ?? null,
        })
      )
        kept.push(ref)
    })
    await pause()
  }
  return kept
}
