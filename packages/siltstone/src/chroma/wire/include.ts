/** The `include` list of get and query. */
import type { Include } from '../../model/read.ts'
import { type Fields, readList, readWord } from './fields.ts'
import { badShape } from './problem.ts'

const INCLUDES = ['distances', 'documents', 'embeddings', 'metadatas', 'uris'] as const
export type IncludeName = (typeof INCLUDES)[number]

export const DEFAULT_GET: readonly IncludeName[] = ['documents', 'metadatas']
export const DEFAULT_QUERY: readonly IncludeName[] = ['documents', 'metadatas', 'distances']

const readInclude = readWord(INCLUDES)

const MOST = 100

/** The answer repeats the list. */
function checkLength(list: unknown[], path: string): unknown[] {
  if (list.length > MOST) throw badShape(path, `has ${list.length} entries; at most ${MOST} are allowed`)
  return list
}

/** In the request's order, because the answer repeats the list. */
export function includeOf(body: Fields, byDefault: readonly IncludeName[]): readonly IncludeName[] {
  const read = (json: unknown, path: string) =>
    checkLength(readList(json, path), path).map((item, i) => readInclude(item, `${path}[${i}]`))
  return body.optional('include', read) ?? byDefault
}

/** The columns that the engine has to read. Every query returns distances. */
export function columnsToRead(include: readonly IncludeName[]): Include {
  return {
    embeddings: include.includes('embeddings'),
    documents: include.includes('documents'),
    metadatas: include.includes('metadatas'),
    uris: include.includes('uris'),
  }
}
