/**
 * Writes Arrow IPC files (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format) of texts and vectors, the
 * columns that records have. The file is allocated once, at its size; every value is copied into it once.
 * Tables and numbers: https://github.com/apache/arrow/tree/main/format (Schema.fbs, Message.fbs, File.fbs).
 */
import { invalid } from '../errors.ts'
import { encodeFlatBuffer, type FlatNode, type Slot } from './flatbuffer-writer.ts'
import { TypeId } from './schema.ts'

/** One column, ready to be placed in a file. */
export interface Column {
  /** `Field` of the schema. */
  field: FlatNode
  /** Of the column, then of its children. */
  nodes: { length: number; nullCount: number }[]
  /** Each is the concatenation of its parts, in the order of the format. */
  buffers: Uint8Array[][]
}

const METADATA_V5 = 4
const Header = { schema: 1, recordBatch: 3 } as const
const SINGLE_PRECISION = 1
const ALIGNMENT = 8
const MAX_TEXT_BYTES = 0x7fffffff
const CHUNK_BYTES = 256 * 1024
const MAGIC = Uint8Array.from('ARROW1', (letter) => letter.charCodeAt(0))
/** A message without length: the end for a reader that does not use the footer. */
const END_OF_STREAM = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)

const int8 = (value: number): Slot => ({ bits: 8, value })
const int16 = (value: number): Slot => ({ bits: 16, value })
const int32 = (value: number): Slot => ({ bits: 32, value })
const int64 = (value: number): Slot => ({ bits: 64, value })

function field(name: string, nullable: boolean, typeId: number, type: readonly Slot[], children: FlatNode[]): FlatNode {
  // name, nullable, type_type, type, dictionary, children
  return {
    table: [{ text: name }, int8(nullable ? 1 : 0), int8(typeId), { table: type }, null, { tables: children }],
  }
}

/** The bitmap of rows with a value; empty when all have one. */
function validity(values: readonly unknown[]): { nullCount: number; bitmap: Uint8Array[] } {
  const bitmap = new Uint8Array(Math.ceil(values.length / 8))
  let nullCount = 0
  for (let i = 0; i < values.length; i++) {
    if (values[i] === null) nullCount++
    else bitmap[i >>> 3] = (bitmap[i >>> 3] as number) | (1 << (i & 7))
  }
  return { nullCount, bitmap: nullCount === 0 ? [] : [bitmap] }
}

/**
 * A column of type utf8. Lone surrogates become U+FFFD.
 * @throws SiltstoneError `invalid` (`too-large`) when the texts exceed 2 GB
 */
export function textColumn(name: string, values: readonly (string | null)[], nullable: boolean): Column {
  const { nullCount, bitmap } = validity(values)
  const { offsets, chunks } = encodeTexts(name, values)
  return {
    field: field(name, nullable, TypeId.utf8, [], []),
    nodes: [{ length: values.length, nullCount }],
    buffers: [bitmap, [new Uint8Array(offsets.buffer)], chunks],
  }
}

const encoder = new TextEncoder()

/** In chunks: the size in UTF-8 is not known before, and growing one buffer would copy what it holds. */
function encodeTexts(name: string, values: readonly (string | null)[]): { offsets: Int32Array; chunks: Uint8Array[] } {
  const offsets = new Int32Array(values.length + 1)
  const chunks: Uint8Array[] = []
  let units = 0
  for (const value of values) units += value?.length ?? 0
  let chunk = new Uint8Array(0)
  let used = 0
  let total = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? ''
    if (value !== '') {
      // A UTF-16 unit takes three bytes at most.
      const most = 3 * value.length
      if (chunk.length - used < most) {
        if (used > 0) chunks.push(chunk.subarray(0, used))
        chunk = new Uint8Array(Math.max(most, Math.min(3 * units, CHUNK_BYTES)))
        used = 0
      }
      const { written } = encoder.encodeInto(value, chunk.subarray(used))
      used += written
      total += written
      units -= value.length
      if (total > MAX_TEXT_BYTES)
        throw invalid('too-large', `column ${name} exceeds 2 GB: write fewer records at once`, { field: name })
    }
    offsets[i + 1] = total
  }
  if (used > 0) chunks.push(chunk.subarray(0, used))
  return { offsets, chunks }
}

/**
 * A column of type fixed_size_list<float32>. The values of a null vector are zeros.
 * @throws RangeError when a vector does not have `dimension` values
 */
export function vectorColumn(name: string, vectors: readonly (Float32Array | null)[], dimension: number): Column {
  const { nullCount, bitmap } = validity(vectors)
  const zeros = new Float32Array(nullCount === 0 ? 0 : dimension)
  const values = vectors.map((vector, i) => {
    const { buffer, byteOffset, byteLength, length } = vector ?? zeros
    if (length !== dimension) throw new RangeError(`vector ${i} has ${length} values, not ${dimension}`)
    return new Uint8Array(buffer, byteOffset, byteLength)
  })
  const item = field('item', false, TypeId.float, [int16(SINGLE_PRECISION)], [])
  const { length } = vectors
  return {
    field: field(name, true, TypeId.fixedSizeList, [int32(dimension)], [item]),
    nodes: [
      { length, nullCount },
      { length: length * dimension, nullCount: 0 },
    ],
    buffers: [bitmap, [], values],
  }
}

/**
 * One record batch, or none when `length` is 0; `metadata` stands in the header's schema and in the footer's.
 * @param length rows of every column
 */
export function writeArrowFile(columns: readonly Column[], length: number, metadata: Map<string, string>): Uint8Array {
  const pairs: FlatNode[] = [...metadata].map(([key, value]) => ({ table: [{ text: key }, { text: value }] }))
  // endianness (little is the default), fields, custom_metadata
  const schema: FlatNode = { table: [null, { tables: columns.map((column) => column.field) }, { tables: pairs }] }
  const parts = [padded(MAGIC), message(Header.schema, schema, 0)]
  const blocks: bigint[] = []
  if (length > 0) {
    const offset = sizeOf(parts)
    const { header, body } = recordBatch(columns, length)
    const bodyBytes = sizeOf(body)
    const head = message(Header.recordBatch, header, bodyBytes)
    parts.push(head, ...body)
    blocks.push(BigInt(offset), BigInt(head.length), BigInt(bodyBytes))
  }
  // version, schema, dictionaries, recordBatches
  const batches: FlatNode = { structs: BigInt64Array.from(blocks), count: blocks.length / 3 }
  const footer = encodeFlatBuffer({ table: [int16(METADATA_V5), schema, null, batches] })
  parts.push(END_OF_STREAM, footer, new Uint8Array(Int32Array.of(footer.length).buffer), MAGIC)
  return concatenate(parts)
}

/** A marker, the length of the FlatBuffer, and a `Message`: version, header_type, header, bodyLength. */
function message(headerType: number, header: FlatNode, bodyBytes: number): Uint8Array {
  const body = encodeFlatBuffer({ table: [int16(METADATA_V5), int8(headerType), header, int64(bodyBytes)] })
  return concatenate([new Uint8Array(Int32Array.of(-1, body.length).buffer), body])
}

function recordBatch(columns: readonly Column[], length: number): { header: FlatNode; body: Uint8Array[] } {
  const nodes = columns.flatMap((column) => column.nodes)
  const regions: bigint[] = []
  const body: Uint8Array[] = []
  let offset = 0
  for (const parts of columns.flatMap((column) => column.buffers)) {
    const sizeBytes = sizeOf(parts)
    regions.push(BigInt(offset), BigInt(sizeBytes))
    for (const part of parts) body.push(part)
    const padding = -sizeBytes & (ALIGNMENT - 1)
    if (padding > 0) body.push(new Uint8Array(padding))
    offset += sizeBytes + padding
  }
  // length, nodes, buffers
  const header: FlatNode = {
    table: [
      int64(length),
      {
        structs: BigInt64Array.from(nodes.flatMap((node) => [BigInt(node.length), BigInt(node.nullCount)])),
        count: nodes.length,
      },
      { structs: BigInt64Array.from(regions), count: regions.length / 2 },
    ],
  }
  return { header, body }
}

function padded(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT)
  out.set(bytes)
  return out
}

function sizeOf(parts: readonly Uint8Array[]): number {
  let total = 0
  for (const part of parts) total += part.length
  return total
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(sizeOf(parts))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
