/** Writes Arrow IPC files of record columns: buffers are filled directly, apache-arrow frames them. */
import {
  type Data,
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchWriter,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow'
import { invalid } from '../errors.ts'

export interface Column {
  field: Field
  data: Data
}

interface Nulls {
  nullCount: number
  nullBitmap: Uint8Array | null
}

function nulls(values: readonly unknown[]): Nulls {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8))
  let nullCount = 0
  for (let i = 0; i < values.length; i++) {
    if (values[i] === null) nullCount++
    else nullBitmap[i >>> 3] = (nullBitmap[i >>> 3] as number) | (1 << (i & 7))
  }
  return nullCount === 0 ? { nullCount, nullBitmap: null } : { nullCount, nullBitmap }
}

export function textColumn(name: string, values: readonly (string | null)[], nullable: boolean): Column {
  const valueOffsets = new Int32Array(values.length + 1)
  let total = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value === 'string') total += Buffer.byteLength(value, 'utf8')
    valueOffsets[i + 1] = total
  }
  if (total > 0x7fffffff) throw invalid('too-large', `column ${name} exceeds 2 GB: write fewer records at once`)
  const data = Buffer.allocUnsafeSlow(total)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value === 'string') data.write(value, valueOffsets[i] as number, 'utf8')
  }
  const type = new Utf8()
  const length = values.length
  return {
    field: new Field(name, type, nullable),
    data: makeData({ type, length, ...nulls(values), valueOffsets, data }),
  }
}

/** Every vector has `dimension` values; a null one leaves zeros. */
export function vectorColumn(name: string, vectors: readonly (Float32Array | null)[], dimension: number): Column {
  const values = new Float32Array(vectors.length * dimension)
  for (let i = 0; i < vectors.length; i++) {
    const vector = vectors[i]
    if (vector) values.set(vector, i * dimension)
  }
  const item = new Float32()
  const child = makeData({ type: item, length: values.length, nullCount: 0, data: values })
  const type = new FixedSizeList(dimension, new Field('item', item, false))
  const data = makeData({ type, length: vectors.length, ...nulls(vectors), child })
  return { field: new Field(name, type, true), data }
}

/**
 * apache-arrow leaves out the schema message that the format has between the magic and the first batch. Readers that
 * use the footer do not mind; we write it, so that the file is one by the specification.
 */
class FileWriter extends RecordBatchFileWriter {
  protected override _writeSchema(schema: Schema): this {
    super._writeSchema(schema)
    return RecordBatchWriter.prototype['_writeSchema'].call(this, schema) as this
  }
}

/** One record batch (none when `length` is 0), `metadata` in header and footer. */
export function writeArrowFile(columns: readonly Column[], length: number, metadata: Map<string, string>): Uint8Array {
  const schema = new Schema(
    columns.map((column) => column.field),
    metadata,
  )
  const type = new Struct<Record<string, DataType>>(schema.fields)
  const data = makeData({ type, length, nullCount: 0, children: columns.map((column) => column.data) })
  const batch = new RecordBatch(schema, data)
  const writer = new FileWriter()
  writer.write(batch)
  writer.finish()
  return writer.toUint8Array(true)
}
