/** Record operations as Arrow columns, the body of deltas and log entries. */
import type { Op, RecordOp } from '../model/record.ts'
import { readTexts, readVectors } from '../arrow/columns.ts'
import type { ArrowBatch, ArrowColumn, ArrowFile } from '../arrow/file.ts'
import { FormatProblem } from '../arrow/problem.ts'
import { TypeId } from '../arrow/schema.ts'
import { type Column, textColumn, vectorColumn } from '../arrow/write.ts'
import { checkMetadataText } from './metadata-check.ts'

const OPS: ReadonlySet<string> = new Set<Op>(['add', 'upsert', 'update', 'delete'])

/** The dimension of the vectors, null when there are none. @throws FormatProblem when they differ or one is empty */
export function dimensionOf(records: readonly RecordOp[]): number | null {
  let dimension: number | null = null
  records.forEach((record, i) => {
    if (record.vector === null) return
    dimension ??= record.vector.length
    if (record.vector.length !== dimension || dimension === 0) {
      throw new FormatProblem(`record ${i}: its vector has ${record.vector.length} values, others have ${dimension}`)
    }
  })
  return dimension
}

/** Checks what every record must fulfil, in any state of its collection. @returns what is wrong, or undefined */
export function checkRecord(record: RecordOp): string | undefined {
  if (!OPS.has(record.op)) return `op ${JSON.stringify(record.op)} is none of add, upsert, update, delete`
  if (record.id === '') return 'the id is empty'
  if (!record.id.isWellFormed()) return 'the id is not valid Unicode'
  if (record.op === 'delete') return undefined
  if (record.vector === null && record.op !== 'update') return `${record.op} needs a vector`
  if (record.vector !== null && !allFinite(record.vector)) return 'the vector holds NaN or Infinity'
  return record.metadata === null ? undefined : checkMetadataText(record.metadata, record.op !== 'add')
}

function allFinite(vector: Float32Array): boolean {
  // One test at the end: NaN stays NaN, and an infinity minus itself is NaN.
  let sum = 0
  for (let i = 0; i < vector.length; i++) {
    const value = vector[i] as number
    sum += value - value
  }
  return sum === 0
}

export function encodeColumns(records: readonly RecordOp[], dimension: number | null): Column[] {
  const columns = [
    textColumn('id', field(records, 'id'), false),
    textColumn('op', field(records, 'op'), false),
    textColumn('document', field(records, 'document'), true),
    textColumn('metadata', field(records, 'metadata'), true),
    textColumn('uri', field(records, 'uri'), true),
  ]
  if (dimension !== null) columns.push(vectorColumn('vector', field(records, 'vector'), dimension))
  return columns
}

function field<K extends keyof RecordOp>(records: readonly RecordOp[], name: K): (RecordOp[K] | null)[] {
  return records.map((record) => (record.op === 'delete' && name !== 'id' && name !== 'op' ? null : record[name]))
}

/**
 * Columns may be in any order; `vector`, `document`, `metadata` and `uri` may be missing; unknown ones are ignored.
 * Only types and shapes are checked here; see `checkRecord`.
 * @throws FormatProblem
 */
export function decodeColumns(file: ArrowFile): { records: RecordOp[]; dimension: number | null } {
  const records: RecordOp[] = []
  let dimension: number | null = null
  const names = new Set<string>()
  for (const { name } of file.schema.fields) {
    if (names.has(name)) throw new FormatProblem(`column ${name} is there twice`)
    names.add(name)
  }
  for (const batch of file.batches) {
    const ids = required(batch, 'id', file)
    const ops = required(batch, 'op', file)
    const text = (name: string): (string | null)[] => {
      const column = find(batch, name)
      return column === undefined ? [] : readTexts(column, file)
    }
    const [documents, metadata, uris] = [text('document'), text('metadata'), text('uri')]
    const vectorColumn = find(batch, 'vector')
    const vectors = vectorColumn === undefined || isNull(vectorColumn) ? undefined : readVectors(vectorColumn)
    dimension ??= vectors?.dimension ?? null
    for (let row = 0; row < batch.length; row++) {
      const [id, op] = [ids[row], ops[row]]
      if (typeof id !== 'string' || typeof op !== 'string')
        throw new FormatProblem(`record ${records.length}: id or op is null`)
      records.push(
        op === 'delete'
          ? { op, id, vector: null, document: null, metadata: null, uri: null }
          : {
              op: op as Op,
              id,
              vector: vectors?.row(row) ?? null,
              document: documents[row] ?? null,
              metadata: metadata[row] ?? null,
              uri: uris[row] ?? null,
            },
      )
    }
  }
  return { records, dimension }
}

/** The vectors of all records, views where they can be; null for a record without one. @throws FormatProblem */
export function vectorsOf(file: ArrowFile): (Float32Array | null)[] {
  return file.batches.flatMap((batch) => {
    const column = find(batch, 'vector')
    const vectors = column === undefined || isNull(column) ? undefined : readVectors(column)
    return Array.from({ length: batch.length }, (_, row) => vectors?.row(row) ?? null)
  })
}

function find(batch: ArrowBatch, name: string): ArrowColumn | undefined {
  return batch.columns.find((column) => column.field.name === name)
}

function isNull(column: ArrowColumn): boolean {
  return column.field.typeId === TypeId.null && column.field.dictionary === null
}

function required(batch: ArrowBatch, name: string, file: ArrowFile): (string | null)[] {
  const column = find(batch, name)
  if (column === undefined || isNull(column)) throw new FormatProblem(`column ${name} is missing`)
  return readTexts(column, file)
}
