/** Records and queries for measurements. Vectors are unit vectors of f32, rows of one matrix that is also in a file. */
import { matrixFile } from './matrix.ts'

export interface Dataset {
  /** Readable description. */
  name: string
  /** Part of file names, unique for these vectors. */
  key: string
  dimension: number
  count: number
  id(row: number): string
  /** The row number of the id. */
  row(id: string): number
  /** A view, not a copy. */
  vector(row: number): Float32Array
  document(row: number): string
  /** JSON text of an object. */
  metadata(row: number): string
  queries: Queries
}

export interface Queries {
  key: string
  count: number
  vector(index: number): Float32Array
}

/** One record for a request or for the engine. */
export interface Row {
  id: string
  vector: Float32Array
  document: string
  metadata: string
}

export function rowAt(data: Dataset, row: number): Row {
  return { id: data.id(row), vector: data.vector(row), document: data.document(row), metadata: data.metadata(row) }
}

export function* batches(data: Dataset, size: number, first = 0, end = data.count): Generator<Row[]> {
  for (let start = first; start < end; start += size)
    yield Array.from({ length: Math.min(size, end - start) }, (_, i) => rowAt(data, start + i))
}

/** Raw f32 rows of all vectors, for programs that read them from a file. */
export function vectorsFile({ key, count, dimension, vector }: Dataset): string {
  return matrixFile(key, count, dimension, (row) => vector(row))
}

export function queriesFile({ queries, dimension }: Dataset): string {
  return matrixFile(queries.key, queries.count, dimension, (index) => queries.vector(index))
}
