/**
 * Options of a query for which Chroma's bodies have no fields: `x-siltstone-search: probes=40,rerank=300` or
 * `x-siltstone-search: exact` says how much of the index to search, `x-siltstone-explain: true` asks for an explanation.
 */
import type { SearchOptions } from '../../model/read.ts'
import { invalid } from '../../errors.ts'

export const SEARCH_HEADER = 'x-siltstone-search'
export const EXPLAIN_HEADER = 'x-siltstone-explain'

const LIMITS = { probes: 1_000_000, rerank: 100_000, deviations: 100 }

/** @throws SiltstoneError `invalid` (`bad-search-option`) */
export function parseSearchOptions(text: string | undefined): SearchOptions | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const options: SearchOptions = {}
  for (const part of text.split(',').map((word) => word.trim())) {
    if (part === 'exact') {
      options.exact = true
      continue
    }
    const [name = '', value = ''] = part.split('=')
    if (!isNumeric(name) || !/^\d{1,7}(\.\d{1,6})?$/.test(value)) throw bad(part)
    const number = Number(value)
    if (number > LIMITS[name] || (name !== 'deviations' && !(Number.isInteger(number) && number > 0))) throw bad(part)
    options[name] = number
  }
  return options
}

function isNumeric(name: string): name is keyof typeof LIMITS {
  return Object.hasOwn(LIMITS, name)
}

function bad(part: string) {
  const message = `${SEARCH_HEADER}: '${part.slice(0, 60)}' is unknown; give exact, probes=<count>, rerank=<count> or deviations=<number>`
  return invalid('bad-search-option', message, { field: SEARCH_HEADER })
}
