/**
 * Options of a query for which Chroma's bodies have no fields: `x-siltstone-search: recall=0.99` or
 * `x-siltstone-search: exact` says how much of the index to search, `x-siltstone-explain: true` asks for an explanation.
 */
import type { SearchOptions } from '../../model/read.ts'
import { invalid } from '../../errors.ts'

export const SEARCH_HEADER = 'x-siltstone-search'
export const EXPLAIN_HEADER = 'x-siltstone-explain'

/** @throws SiltstoneError `invalid` (`bad-search-option`) */
export function parseSearchOptions(text: string | undefined): SearchOptions | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const options: SearchOptions = {}
  for (const part of text.split(',').map((word) => word.trim())) {
    if (part === 'exact') {
      options.exact = true
      continue
    }
    const value = /^recall=(0\.\d{1,9}|1(?:\.0{1,9})?)$/.exec(part)?.[1]
    if (value === undefined || Number(value) === 0) throw bad(part)
    options.recall = Number(value)
  }
  return options
}

function bad(part: string) {
  const message = `${SEARCH_HEADER}: '${part.slice(0, 60)}' is unknown; give exact, or recall=<number above 0, at most 1>, such as recall=0.99`
  return invalid('bad-search-option', message, { field: SEARCH_HEADER })
}
