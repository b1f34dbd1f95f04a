/** Real text and its embeddings: `passages.arrow` and `queries.arrow` of `--data DIR` (their README has the columns). */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC, type Table } from 'apache-arrow'
import { withBucket } from './bucket.ts'
import type { Dataset, Queries } from './dataset.ts'

export function hasPassages(directory: string): boolean {
  return existsSync(join(directory, 'passages.arrow')) && existsSync(join(directory, 'queries.arrow'))
}

/** @param limit number of rows to read */
export function loadPassages(directory: string, limit = Number.POSITIVE_INFINITY): Dataset {
  const table = tableFromIPC(readFileSync(join(directory, 'passages.arrow')))
  const count = Math.min(table.numRows, limit)
  const vectors = unitVectors(table, count)
  const [ids, documents, metadatas] = ['id', 'document', 'metadata'].map((name) => strings(table, name, count)) as [
    string[],
    string[],
    string[],
  ]
  const rows = new Map(ids.map((id, row) => [id, row]))
  return {
    name: `${count} passages`,
    key: `passages-${count}`,
    dimension: vectors.dimension,
    count,
    id: (row) => ids[row] as string,
    row: (id) => rows.get(id) ?? -1,
    vector: (row) => vectors.row(row),
    document: (row) => documents[row] as string,
    metadata: (row) => withBucket(ids[row] as string, metadatas[row] as string),
    queries: loadQueries(directory),
  }
}

function loadQueries(directory: string): Queries {
  const table = tableFromIPC(readFileSync(join(directory, 'queries.arrow')))
  const vectors = unitVectors(table, table.numRows)
  return { key: 'queries', count: table.numRows, vector: (index) => vectors.row(index) }
}

function column(table: Table, name: string) {
  const found = table.getChild(name)
  if (!found) throw new Error(`The file has no column "${name}".`)
  return found
}

function strings(table: Table, name: string, count: number): string[] {
  const values = column(table, name)
  return Array.from({ length: count }, (_, row) => String(values.get(row)))
}

function unitVectors(table: Table, count: number) {
  const bytes = column(table, 'vector_i8')
  const first = bytes.get(0) as { length: number }
  const dimension = first.length
  const matrix = new Float32Array(count * dimension)
  for (let row = 0; row < count; row++) {
    const source = (bytes.get(row) as { toArray(): Int8Array }).toArray()
    let squares = 0
    for (let i = 0; i < dimension; i++) squares += (source[i] as number) ** 2
    // The normalisation cancels the scale.
    const factor = 1 / Math.sqrt(squares)
    for (let i = 0; i < dimension; i++) matrix[row * dimension + i] = (source[i] as number) * factor
  }
  return { dimension, row: (row: number) => matrix.subarray(row * dimension, (row + 1) * dimension) }
}

/** The texts of the first queries. */
export function queryTexts(directory: string, count: number): string[] {
  const table = tableFromIPC(readFileSync(join(directory, 'queries.arrow')))
  return strings(table, 'text', count)
}
