/** The `include` list of get and query. */
import type { Include } from '../../model/read.ts'
import { type Fields, readList, readWord } from './fields.ts'

const INCLUDES = ['distances', 'documents', 'embeddings', 'metadatas', 'uris'] as const
export type IncludeName = (typeof INCLUDES)[number]

export const DEFAULT_GET: readonly IncludeName[] = ['documents', 'metadatas']
export const DEFAULT_QUERY: readonly IncludeName[] = ['documents', 'metadatas', 'distances']

const readInclude = readWord(INCLUDES)

/** In the request's order, because the answer repeats the list. */
export function includeOf(body: Fields, byDefault: readonly IncludeName[]): readonly IncludeName[] {
  const read = (json: unknown, path: string) =>
    readList(json, path).map((item, i) => readInclude(item, `${path}[${i}]`))
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
