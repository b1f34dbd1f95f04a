import { yieldToEventLoop } from '#codec'
import { inDocumentsLanguage } from '../filter/phrase.ts'
import { loadRegexFor } from '../filter/regex.ts'
import { filterFrom } from '../library/arguments.ts'
import type { Where } from '../library/types.ts'
import type { View } from '../log/view.ts'
import type { StoredSchema } from '../model/schema.ts'
import { select } from '../query/select.ts'
import type { Selection } from '../query/selection.ts'

/** The records of a view that match. @param schema of the collection @throws SiltstoneError `invalid` (bad-where …) */
export async function selectWhere(view: View, where: Where, schema: StoredSchema | null): Promise<Selection> {
  await loadRegexFor(where)
  const parsed = filterFrom({ where })
  const { filter } = await inDocumentsLanguage(parsed ? { filter: parsed } : {}, schema)
  return select(view, filter, yieldToEventLoop)
}
