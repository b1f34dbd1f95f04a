/** Checks what a caller handed over and turns it into the engine's requests. */
import type { Include as Columns, ReadLevel, ReadOptions } from '../model/read.ts'
import { invalid } from '../errors.ts'
import { described } from './check-arguments.ts'
import { andFilters, type Filter, parseWhere, parseWhereDocument } from '../filter/index.ts'
import { metadataFromJson, type Op, type RecordOp } from '../records/index.ts'
import type {
  ChromaReadLevel,
  CollectionMetadata,
  Embedding,
  FilterArguments,
  Include,
  ReadArguments,
  RecordArguments,
} from './types.ts'

const INCLUDES: readonly Include[] = ['distances', 'documents', 'embeddings', 'metadatas', 'uris']
const LEVELS: Record<ChromaReadLevel, ReadLevel> = {
  index_and_wal: 'strong',
  index_only: 'index',
  index_and_bounded_wal: 'bounded',
}
const LISTS = ['embeddings', 'metadatas', 'documents', 'uris'] as const

/**
 * Converts arguments to record operations, in order; records without a vector still have to be embedded.
 * @throws SiltstoneError `invalid`: bad-ids, duplicate-id, unequal-lengths, bad-embedding, bad-document, and those of metadata
 */
export function recordsFrom(op: Exclude<Op, 'delete'>, args: RecordArguments): RecordOp[] {
  const ids = checkIds(args.ids)
  if (ids.length === 0) throw invalid('bad-ids', 'ids is empty; give at least one id', { field: 'ids' })
  const seen = new Set<string>()
  for (const id of ids) {
    if (seen.has(id))
      throw invalid('duplicate-id', `ids has ${JSON.stringify(id)} twice; give each id once`, { field: 'ids' })
    seen.add(id)
  }
  for (const name of LISTS) {
    const list: unknown = args[name]
    if (list === undefined || list === null) continue
    if (!Array.isArray(list))
      throw invalid('bad-list', `${name} is not a list; give one element per id`, { field: name })
    if (list.length !== ids.length)
      throw invalid(
        'unequal-lengths',
        `${name} has ${list.length} elements, ids has ${ids.length}; give one for each id, or leave ${name} out`,
        { field: name },
      )
  }
  return ids.map((id, i) => ({
    op,
    id,
    vector: vectorFrom(args.embeddings?.[i], `embeddings[${i}]`),
    document: textFrom(args.documents?.[i], `documents[${i}]`),
    metadata: metadataFromJson(args.metadatas?.[i], `metadatas[${i}]`, op === 'add' ? 'add' : 'patch', 'plain'),
    uri: textFrom(args.uris?.[i], `uris[${i}]`),
  }))
}

/** @throws SiltstoneError `invalid` (bad-ids) */
export function checkIds(ids: readonly string[]): string[] {
  if (!Array.isArray(ids)) {
    const remedy = typeof ids === 'string' ? `[${JSON.stringify(ids)}]` : 'a list of strings'
    throw invalid('bad-ids', `ids is ${described(ids)}: give ${remedy}`, { field: 'ids' })
  }
  ids.forEach((id: unknown, i) => {
    if (typeof id !== 'string' || id === '' || !id.isWellFormed())
      throw invalid('bad-ids', `ids[${i}] is ${JSON.stringify(id)}; give a well-formed string that is not empty`, {
        field: `ids[${i}]`,
      })
  })
  return [...(ids as readonly string[])]
}

/** @throws SiltstoneError `invalid` (bad-embedding) */
export function vectorFrom(embedding: Embedding | null | undefined, field: string): Float32Array | null {
  if (embedding === null || embedding === undefined) return null
  const bad = (problem: string) => invalid('bad-embedding', `${field} ${problem}`, { field })
  const isList = Array.isArray(embedding) || embedding instanceof Float32Array
  if (!isList) throw bad(`is ${described(embedding)}: give a list of numbers, and a list of such lists for several`)
  if (embedding.length === 0) throw bad('is empty; an embedding has at least one dimension')
  const vector = Float32Array.from(embedding)
  for (let i = 0; i < vector.length; i++)
    if (typeof embedding[i] !== 'number' || !Number.isFinite(vector[i]))
      throw bad(`has ${String(embedding[i])} at index ${i}; give finite numbers within the range of 32-bit floats`)
  return vector
}

function textFrom(text: string | null | undefined, field: string): string | null {
  if (text === null || text === undefined) return null
  if (typeof text !== 'string') throw invalid('bad-document', `${field} is not a string`, { field })
  if (!text.isWellFormed())
    throw invalid('bad-document', `${field} has an unpaired surrogate; give well-formed Unicode text`, { field })
  return text
}

/** @throws SiltstoneError `invalid` (where-clause, where-document-clause, regex-syntax) */
export function filterFrom({ where, whereDocument }: FilterArguments): Filter | undefined {
  return andFilters(
    where === undefined || where === null ? undefined : parseWhere(where, 'plain'),
    whereDocument === undefined || whereDocument === null ? undefined : parseWhereDocument(whereDocument),
  )
}

/** @throws SiltstoneError `invalid` (bad-include) */
export function checkInclude(include: readonly Include[]): Include[] {
  if (!Array.isArray(include)) throw invalid('bad-include', 'include is not a list', { field: 'include' })
  for (const field of include as readonly unknown[])
    if (!INCLUDES.some((known) => known === field))
      throw invalid('bad-include', `include has ${JSON.stringify(field)}; give only ${INCLUDES.join(', ')}`, {
        field: 'include',
      })
  return [...(include as readonly Include[])]
}

export function columnsOf(include: readonly Include[]): Columns {
  return {
    embeddings: include.includes('embeddings'),
    documents: include.includes('documents'),
    metadatas: include.includes('metadatas'),
    uris: include.includes('uris'),
  }
}

/** @throws SiltstoneError `invalid` (bad-read-level) */
export function readFrom({ readLevel, atLeast, at }: ReadArguments): ReadOptions {
  if (readLevel !== undefined && !Object.hasOwn(LEVELS, readLevel))
    throw invalid(
      'bad-read-level',
      `readLevel is ${JSON.stringify(readLevel)}; give one of ${Object.keys(LEVELS).join(', ')}`,
      { field: 'readLevel' },
    )
  return {
    ...(readLevel !== undefined && { level: LEVELS[readLevel] }),
    ...(atLeast !== undefined && { atLeast }),
    ...(at !== undefined && { at }),
  }
}

/** Converts a collection's metadata to exact JSON text. @throws SiltstoneError `invalid` (bad-metadata) */
export function collectionMetadata(metadata: CollectionMetadata | null | undefined): string | null {
  if (metadata === null || metadata === undefined) return null
  const text = metadataFromJson(metadata, 'metadata', 'add', 'plain')
  if (text === null)
    throw invalid('bad-metadata', 'metadata is empty; leave it out or give at least one key', { field: 'metadata' })
  return text
}
