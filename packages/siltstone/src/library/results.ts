/** Results with the shapes of the `chromadb` JavaScript client. */
import type { GetResponse, Explanation, QueryResponse } from '../model/read.ts'
import { metadataToPlain } from '../records/index.ts'
import type { Include, Metadata } from './types.ts'

export interface GetRow<TMeta extends Metadata = Metadata> {
  id: string
  document: string | null | undefined
  embedding: number[] | undefined
  metadata: TMeta | null | undefined
  uri: string | null | undefined
}

/** Columns that were not included are empty. */
export class GetResult<TMeta extends Metadata = Metadata> {
  readonly ids: string[]
  readonly embeddings: number[][]
  readonly documents: (string | null)[]
  readonly metadatas: (TMeta | null)[]
  readonly uris: (string | null)[]
  readonly include: Include[]
  /** Extension: the version that was read. */
  readonly version: number
  /** Extension: token for the next page of the same state; undefined on the last page. */
  readonly pageToken: string | undefined

  constructor(response: GetResponse, include: readonly Include[]) {
    this.ids = response.ids
    this.embeddings = (response.embeddings ?? []).map(numbersOf)
    this.documents = response.documents ?? []
    this.metadatas = (response.metadatas ?? []).map((text) => metadataToPlain(text) as TMeta | null)
    this.uris = response.uris ?? []
    this.include = [...include]
    this.version = response.version
    this.pageToken = response.pageToken
  }

  /** One object per record; fields that were not included are undefined. */
  rows(): GetRow<TMeta>[] {
    const has = (field: Include) => this.include.includes(field)
    return this.ids.map((id, i) => ({
      id,
      document: has('documents') ? this.documents[i] : undefined,
      embedding: has('embeddings') ? this.embeddings[i] : undefined,
      metadata: has('metadatas') ? this.metadatas[i] : undefined,
      uri: has('uris') ? this.uris[i] : undefined,
    }))
  }
}

export interface QueryRow<TMeta extends Metadata = Metadata> {
  id: string
  document?: string | null | undefined
  embedding?: number[] | null | undefined
  metadata?: TMeta | null | undefined
  uri?: string | null | undefined
  distance?: number | null | undefined
}

/** Every list has one element per query. Columns that were not included are empty. */
export class QueryResult<TMeta extends Metadata = Metadata> {
  readonly ids: string[][]
  readonly distances: (number | null)[][]
  readonly embeddings: (number[] | null)[][]
  readonly documents: (string | null)[][]
  readonly metadatas: (TMeta | null)[][]
  readonly uris: (string | null)[][]
  readonly include: Include[]
  /** Extension: the version that was read. */
  readonly version: number
  /** Extension: how the query was executed, with `explain`. */
  readonly explanation: Explanation | undefined

  constructor({ hits, version, explanation }: QueryResponse, include: readonly Include[]) {
    this.ids = hits.map(({ ids }) => ids)
    this.distances = include.includes('distances') ? hits.map(({ distances }) => distances) : []
    this.embeddings = present(hits.map(({ embeddings }) => embeddings?.map(numbersOf)))
    this.documents = present(hits.map(({ documents }) => documents))
    this.metadatas = present(
      hits.map(({ metadatas }) => metadatas?.map((text) => metadataToPlain(text) as TMeta | null)),
    )
    this.uris = present(hits.map(({ uris }) => uris))
    this.include = [...include]
    this.version = version
    this.explanation = explanation
  }

  /** For each query, one object per hit, nearest first. */
  rows(): QueryRow<TMeta>[][] {
    const has = (field: Include) => this.include.includes(field)
    return this.ids.map((ids, q) =>
      ids.map((id, i) => ({
        id,
        document: has('documents') ? this.documents[q]?.[i] : undefined,
        embedding: has('embeddings') ? this.embeddings[q]?.[i] : undefined,
        metadata: has('metadatas') ? this.metadatas[q]?.[i] : undefined,
        uri: has('uris') ? this.uris[q]?.[i] : undefined,
        distance: has('distances') ? this.distances[q]?.[i] : undefined,
      })),
    )
  }
}

function numbersOf(vector: Float32Array | null): number[] {
  return vector ? Array.from(vector) : []
}

function present<T>(columns: (T[] | undefined)[]): T[][] {
  return columns.filter((column) => column !== undefined)
}
