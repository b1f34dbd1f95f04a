import { yieldToEventLoop } from '#codec'
import { loadRegexFor } from '../filter/regex.ts'
import { filterFrom } from '../library/arguments.ts'
import type { Where } from '../library/types.ts'
import type { View } from '../log/view.ts'
import { select } from '../query/select.ts'
import type { Selection } from '../query/selection.ts'

/** The records of a view that match. @throws SiltstoneError `invalid` (bad-where …) */
export async function selectWhere(view: View, where: Where): Promise<Selection> {
  await loadRegexFor(where)
  return select(view, filterFrom({ where }), yieldToEventLoop)
}
