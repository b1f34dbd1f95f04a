import type { RecordRef, View } from '../log/view.ts'
import type { DeleteRequest } from '../model/write.ts'
import type { Pause } from '../pacer.ts'
import { filterRefs } from './filter-refs.ts'
import { select, selectedRefs } from './select.ts'
import { findInSlices, inOrderInSlices } from './slices.ts'

/** @returns the records that a deletion names, or that its filter admits, or both */
export async function matchingRefs(
  view: View,
  { ids, filter }: Pick<DeleteRequest, 'ids' | 'filter'>,
  pause: Pause,
): Promise<RecordRef[]> {
  if (!ids) return selectedRefs(view, await select(view, filter, pause), pause)
  const found = await findInSlices(view, ids, pause)
  if (!filter) return found
  return filterRefs(view, await inOrderInSlices(view, found, pause), filter, pause)
}
