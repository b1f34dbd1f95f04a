/** Reads `where` and `where_document` of a body and checks them against the collection's schema. */
import type { CollectionInfo } from '../../model/collection.ts'
import { invalid } from '../../errors.ts'
import { andFilters, parseWhere, parseWhereDocument } from '../../filter/parse.ts'
import type { Filter } from '../../model/filter.ts'
import type { MetadataScalar } from '../../model/record.ts'
import type { Fields } from './fields.ts'
import { checkOperands, type RequestLimits } from './request-limits.ts'
import { isIndexed, isTextIndexed } from '../../model/schema.ts'

/** @throws SiltstoneError `invalid`: over-limit, where-clause, where-document-clause, regex-syntax */
export function filterOf(body: Fields, limits: RequestLimits): Filter | undefined {
  checkOperands(body, limits)
  return andFilters(
    body.optional('where', (json) => parseWhere(json)),
    body.optional('where_document', (json) => parseWhereDocument(json)),
  )
}

/** @throws SiltstoneError `invalid` (index-disabled) when the schema disables the index that a clause needs */
export function checkIndexed(filter: Filter | undefined, info: CollectionInfo): void {
  if (info.schema !== null && filter !== undefined) checkClause(filter, info.schema)
}

function checkClause(filter: Filter, schema: Record<string, unknown>): void {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const clause of filter.clauses) checkClause(clause, schema)
      return
    case 'document-contains':
    case 'document-regex':
    case 'document-phrase':
      if (isTextIndexed(schema)) return
      throw invalid('index-disabled', 'Cannot filter using full-text search because FTS indexing is disabled')
    case 'compare':
    case 'contains':
      checkKey(filter.key, filter.value, schema)
      return
    case 'in':
      for (const value of filter.values) checkKey(filter.key, value, schema)
      return
    case 'id':
    case 'id-order':
      return
  }
}

function checkKey(key: string, value: MetadataScalar, schema: Record<string, unknown>): void {
  const [type, name] = typeOf(value)
  if (isIndexed(schema, key, type)) return
  const text = `Cannot filter using metadata key '${key}' with type '${name}' because indexing is disabled`
  throw invalid('index-disabled', text, { field: 'where' })
}

function typeOf(value: MetadataScalar): ['string' | 'bool' | 'int' | 'float', string] {
  if (typeof value === 'string') return ['string', 'Str']
  if (typeof value === 'boolean') return ['bool', 'Bool']
  return typeof value === 'bigint' ? ['int', 'Int'] : ['float', 'Float']
}
