import { yieldToEventLoop } from '#codec'
import { loadRegexFor } from '../filter/regex.ts'
import { filterFrom } from '../library/arguments.ts'
import type { Where } from '../library/types.ts'
import type { View } from '../log/view.ts'
import { get } from '../query/get.ts'

/** The first records that match, in the order of insertion. @throws SiltstoneError `invalid` (bad-where …) */
export async function listWhere(view: View, where: Where | undefined, limit: number) {
  await loadRegexFor(where)
  const filter = where && filterFrom({ where })
  const include = { documents: true, metadatas: true }
  return get(view, { limit, include, ...(filter && { filter }) }, yieldToEventLoop)
}
