/** Converts the client's arguments of `search` to the form of the HTTP API, which one parser reads. */
import { invalid } from '../errors.ts'
import { noLimits, type ParsedSearch, parseSearch } from '../search/index.ts'
import type { SearchArguments, SearchInput } from './search-types.ts'

const NAMES: Record<keyof SearchArguments, string> = {
  where: 'filter',
  rank: 'rank',
  groupBy: 'group_by',
  limit: 'limit',
  select: 'select',
  maxScore: 'max_score',
  facets: 'facets',
  highlight: 'highlight',
  orderBy: 'order_by',
  mmr: 'mmr',
  didYouMean: 'did_you_mean',
  suggest: 'suggest',
}

/** @throws SiltstoneError `invalid`: bad-search, search-shape, search-value, where-clause, regex-syntax */
export function searchFrom(input: SearchInput, path: string): ParsedSearch {
  return parseSearch('toPayload' in input ? input.toPayload() : wireForm(input, path), path, noLimits, 'plain')
}

function wireForm(input: unknown, path: string): Record<string, unknown> {
  if (typeof input !== 'object' || input === null)
    throw invalid('bad-search', `${path} is ${String(input)}; give an object`, { field: path })
  const wire: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(NAMES, name))
      throw invalid(
        'bad-search',
        `${path} has the unknown field '${name.slice(0, 60)}'; it can have ${Object.keys(NAMES).join(', ')}`,
        { field: path },
      )
    wire[NAMES[name as keyof SearchArguments]] = partForm(name, value)
  }
  return wire
}

function partForm(name: string, value: unknown): unknown {
  if (name === 'limit' && typeof value === 'number') return { limit: value }
  if (name === 'select' && Array.isArray(value)) return { keys: value.map(String) }
  return typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
    ? (value.toJSON() as unknown)
    : value
}
