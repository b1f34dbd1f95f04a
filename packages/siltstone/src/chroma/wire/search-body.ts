/** Reads the body of `search`. The grammar of one search is that of `search/parse-search.ts`. */
import { isSiltstoneError } from '../../errors.ts'
import { entriesOf } from '../../records/metadata-value.ts'
import { knnsOf } from '../../search/evaluate.ts'
import { type ParsedSearch, parseSearch } from '../../search/parse-search.ts'
import { type Fields, readList } from './fields.ts'
import { badShape } from './problem.ts'
import { checkCount, checkFound, countOperands, type RequestLimits } from './request-limits.ts'

/** @throws ApiProblem 422, SiltstoneError `invalid`: search-value, over-limit */
export function readSearches(body: Fields, limits: RequestLimits): ParsedSearch[] {
  return body.required('searches', (json, path) => {
    const list = readList(json, path)
    checkCount(path, list.length, 'searches', limits, 'maxSearches')
    let operands = 0
    let found = 0
    return list.map((one, i) => {
      const at = `${path}[${i}]`
      const filter = new Map(entriesOf(one) ?? []).get('filter') ?? undefined
      if (filter !== undefined) operands = countOperands(filter, `${at}.filter`, limits, operands)
      const parsed = readSearch(one, at, limits)
      for (const { limit } of parsed.search.rank ? knnsOf(parsed.search.rank) : []) found += limit
      checkFound(at, found, limits)
      return parsed
    })
  })
}

function readSearch(json: unknown, path: string, limits: RequestLimits): ParsedSearch {
  try {
    return parseSearch(json, path, (limit, field, count, what) => checkCount(field, count, what, limits, limit))
  } catch (error) {
    if (!isSiltstoneError(error, 'invalid') || error.code !== 'search-shape') throw error
    throw badShape('', error.message)
  }
}
