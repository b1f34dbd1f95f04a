/** Records and queries to measure with. Vectors are unit vectors of f32, rows of one matrix. */
export interface Dataset {
  name: string
  dimension: number
  count: number
  id(row: number): string
  /** A view, not a copy. */
  vector(row: number): Float32Array
  document(row: number): string
  /** JSON text of an object. */
  metadata(row: number): string
  queries: QuerySet
}

export interface QuerySet {
  count: number
  vector(index: number): Float32Array
  /** Row numbers of the exact nearest records by cosine, best first. */
  neighbours(index: number, k: number): number[]
}

/** One record, ready for a request or for the engine. */
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
