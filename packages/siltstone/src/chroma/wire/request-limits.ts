/** Bounds of what one request may ask for. They are checked before the work begins. */
import { invalid, type SiltstoneError } from '../../errors.ts'
import { entriesOf } from '../../records/metadata-value.ts'
import type { ChromaLimits } from '../options.ts'
import type { Fields } from './fields.ts'
import { readList, readStrings } from './fields.ts'

/** A regular expression counts as this many values: it is compiled. */
const REGEX_OPERANDS = 512

type RequestLimit =
  | 'maxIds'
  | 'maxRecords'
  | 'maxOperands'
  | 'maxResults'
  | 'maxSearches'
  | 'maxKnns'
  | 'maxKnnLimit'
  | 'maxSparseDimensions'
export type RequestLimits = Pick<ChromaLimits, RequestLimit>

/** Reads a list of ids. @throws SiltstoneError `invalid` (over-limit), ApiProblem 422 */
export function idsReader(
  limits: RequestLimits,
  limit: 'maxIds' | 'maxRecords' = 'maxIds',
): (json: unknown, path: string) => string[] {
  return (json, path) => {
    checkCount(path, readList(json, path).length, 'entries', limits, limit)
    return readStrings(json, path)
  }
}

/** @throws SiltstoneError `invalid` (over-limit) */
export function checkRecordCount(field: string, count: number, limits: RequestLimits): void {
  checkCount(field, count, 'records', limits, 'maxRecords')
}

/** Counts the values and empty clauses in the filters of a body. @throws SiltstoneError `invalid` (over-limit) */
export function checkOperands(body: Fields, limits: RequestLimits): void {
  let count = 0
  for (const field of ['where', 'where_document', 'whereDocument'])
    if (body.knows(field) && body.has(field)) count = countOperands(body.raw(field), field, limits, count)
}

/**
 * @param count of earlier parts of the request
 * @returns the count with the values and empty clauses of this filter
 * @throws SiltstoneError `invalid` (over-limit)
 */
export function countOperands(filter: unknown, field: string, limits: RequestLimits, count = 0): number {
  const open: unknown[] = [filter]
  while (open.length > 0) {
    const json = open.pop()
    const parts = partsOf(json)
    if (parts === undefined || parts.length === 0) count++
    // Lists that are too long alone are not walked through.
    else if (count + open.length + parts.length > limits.maxOperands) count += open.length + parts.length
    else for (const part of parts) open.push(part)
    if (count > limits.maxOperands) checkCount(field, count, 'or more values', limits, 'maxOperands')
  }
  return count
}

function partsOf(json: unknown): readonly unknown[] | undefined {
  if (Array.isArray(json)) return json as unknown[]
  const entries = entriesOf(json)
  if (entries === null) return undefined
  return Array.from(entries, ([key, value]) =>
    key === '$regex' || key === '$not_regex' ? new Array<unknown>(REGEX_OPERANDS).fill(value) : value,
  )
}

/** @throws SiltstoneError `invalid` (over-limit) */
export function checkResults(vectors: number, k: number, limits: RequestLimits): void {
  const field = k > limits.maxResults ? 'n_results' : 'query_embeddings'
  checkCount(field, Math.max(vectors, 1) * Math.max(k, 1), 'results (query vectors × n_results)', limits, 'maxResults')
}

/** @param count of all `limit`s of `$knn` in a request. @throws SiltstoneError `invalid` (over-limit) */
export function checkFound(field: string, count: number, limits: RequestLimits): void {
  checkCount(field, count, 'results (limits of $knn)', limits, 'maxResults')
}

/** @throws SiltstoneError `invalid` (over-limit) */
export function checkCount(
  field: string,
  count: number,
  what: string,
  limits: RequestLimits,
  limit: RequestLimit,
): void {
  if (count > limits[limit]) throw overLimit(field, `${count} ${what}`, limits, limit)
}

function overLimit(field: string, found: string, limits: RequestLimits, limit: RequestLimit): SiltstoneError {
  return invalid(
    'over-limit',
    `${field} has ${found}; at most ${limits[limit]} are allowed in one request. Ask for less at a time, or raise the limit ${limit} (siltstone serve --limit ${limit}=<n>)`,
    { field },
  )
}
