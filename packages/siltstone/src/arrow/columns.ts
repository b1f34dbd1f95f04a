/** Values of Arrow columns: texts in each encoding that producers use, and vectors without a copy. */
import { isAscii, isUtf8, utf8Decode, utf8Reader } from '#codec'
import type { ArrowColumn, ArrowFile } from './file.ts'
import { FormatProblem } from './problem.ts'
import { TypeId } from './schema.ts'

/** Returns a function that tells whether a row has a value. @throws FormatProblem when the bitmap is too short */
function validity(column: ArrowColumn): (row: number) => boolean {
  if (column.field.typeId === TypeId.null && column.field.dictionary === null) return () => false
  const bitmap = column.buffers[0] ?? new Uint8Array(0)
  if (column.nullCount === 0 || (column.nullCount < 0 && bitmap.length === 0)) return () => true
  if (bitmap.length * 8 < column.length) throw problem(column, 'its bitmap of nulls is too short')
  return (row) => (((bitmap[row >>> 3] as number) >>> (row & 7)) & 1) === 1
}

function problem(column: ArrowColumn, reason: string): FormatProblem {
  return new FormatProblem(`column ${column.field.name}: ${reason}`)
}

/** utf8, large_utf8, utf8_view, null, or a dictionary of one of them. */
export function readTexts(column: ArrowColumn, file: ArrowFile): (string | null)[] {
  if (column.field.dictionary !== null) return readDictionary(column, file)
  switch (column.field.typeId) {
    case TypeId.null:
      return Array.from({ length: bounded(column, 0) }, () => null)
    case TypeId.utf8:
      return readOffsetTexts(column, 4)
    case TypeId.largeUtf8:
      return readOffsetTexts(column, 8)
    case TypeId.utf8View:
      return readViews(column, file)
    default:
      throw problem(column, 'must be of type string')
  }
}

/** Checks the length of a column against its bytes. A column of nulls has none, so its length is limited. */
function bounded(column: ArrowColumn, bytesPerRow: number, bytes = 0): number {
  const limit = bytesPerRow === 0 ? 100_000_000 : bytes / bytesPerRow
  if (column.length > limit) throw problem(column, 'is longer than its bytes')
  return column.length
}

function readOffsetTexts(column: ArrowColumn, width: 4 | 8): (string | null)[] {
  const offsets = column.buffers[1] ?? new Uint8Array(0)
  const values = column.buffers[2] ?? new Uint8Array(0)
  if (column.length === 0) return []
  if (offsets.length < (column.length + 1) * width) throw problem(column, 'its offsets are too short')
  const view = new DataView(offsets.buffer, offsets.byteOffset, offsets.byteLength)
  const at = (i: number): number => (width === 4 ? view.getInt32(i * 4, true) : Number(view.getBigInt64(i * 8, true)))
  const first = at(0)
  const last = at(column.length)
  if (first < 0 || last < first || last > values.length) throw problem(column, 'an offset lies outside')
  const text = textReader(column, values, first, last)
  const valid = validity(column)
  const out: (string | null)[] = []
  let from = first
  for (let row = 0; row < column.length; row++) {
    const to = at(row + 1)
    if (to < from || to > last) throw problem(column, `the offset of row ${row} lies outside`)
    out.push(valid(row) ? text(from, to) : null)
    from = to
  }
  return out
}

/** Validates a range once, so that cutting strings from it is cheap. */
function textReader(
  column: ArrowColumn,
  values: Uint8Array,
  first: number,
  last: number,
): (from: number, to: number) => string {
  const used = values.subarray(first, last)
  if (isAscii(used)) return utf8Reader(values, true)
  if (!isUtf8(used)) throw problem(column, 'is not UTF-8')
  const read = utf8Reader(values)
  return (from, to) => {
    // The whole range is UTF-8. After a cut inside a character this text, or the next, begins with a continuation byte.
    if (from < to && (continues(values, from) || (to < last && continues(values, to)))) {
      throw problem(column, 'is not UTF-8')
    }
    return read(from, to)
  }
}

function continues(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at] as number) & 0xc0) === 0x80
}

function readViews(column: ArrowColumn, file: ArrowFile): (string | null)[] {
  const views = column.buffers[1] ?? new Uint8Array(0)
  bounded(column, 16, views.length)
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength)
  const valid = validity(column)
  const out: (string | null)[] = []
  for (let row = 0; row < column.length; row++) {
    const at = row * 16
    const length = view.getInt32(at, true)
    let bytes: Uint8Array
    if (length <= 12) bytes = views.subarray(at + 4, at + 4 + length)
    else {
      const from = view.getInt32(at + 12, true)
      bytes = (column.buffers[2 + view.getInt32(at + 8, true)] ?? new Uint8Array(0)).subarray(from, from + length)
      if (from < 0) throw problem(column, `row ${row} lies outside`)
    }
    if (!valid(row)) {
      out.push(null)
      continue
    }
    if (length < 0 || bytes.length !== length) throw problem(column, `row ${row} lies outside`)
    spend(column, file, length)
    if (!isUtf8(bytes)) throw problem(column, 'is not UTF-8')
    out.push(utf8Decode(bytes))
  }
  return out
}

function readDictionary(column: ArrowColumn, file: ArrowFile): (string | null)[] {
  const { dictionary } = column.field
  const width = (dictionary?.indexBits ?? 32) / 8
  if (![1, 2, 4, 8].includes(width)) throw problem(column, 'its indices have a strange width')
  const words = dictionary === null ? [] : wordsOf(dictionary.id, column, file)
  const indices = column.buffers[1] ?? new Uint8Array(0)
  bounded(column, width, indices.length)
  const valid = validity(column)
  const indexAt = indexReader(indices, width)
  const out: (string | null)[] = []
  for (let row = 0; row < column.length; row++) {
    if (!valid(row)) {
      out.push(null)
      continue
    }
    const word = words[indexAt(row)]
    if (word === undefined) throw problem(column, `row ${row} names a word outside its dictionary`)
    spend(column, file, word?.length ?? 0)
    out.push(word)
  }
  return out
}

/** Indices are never negative, so signed and unsigned ones are read alike. */
function indexReader(indices: Uint8Array, width: number): (row: number) => number {
  const view = new DataView(indices.buffer, indices.byteOffset, indices.byteLength)
  switch (width) {
    case 1:
      return (row) => view.getUint8(row)
    case 2:
      return (row) => view.getUint16(row * 2, true)
    case 4:
      return (row) => view.getUint32(row * 4, true)
    default:
      // Of 64 bits only the low 48 can be in use.
      return (row) => view.getUint32(row * 8, true) + view.getUint16(row * 8 + 4, true) * 2 ** 32
  }
}

/** The values of a dictionary, read once for all batches. */
function wordsOf(id: number, column: ArrowColumn, file: ArrowFile): (string | null)[] {
  const known = file.words.get(id)
  if (known !== undefined) return known
  const words: (string | null)[] = []
  for (const chunk of file.dictionaries.get(id) ?? []) {
    // No producer writes one, and no bytes would limit its length.
    if (chunk.field.typeId === TypeId.null) throw problem(column, 'has a dictionary of nulls')
    for (const word of readTexts(chunk, file)) words.push(word)
  }
  file.words.set(id, words)
  return words
}

/** Charges the budget for a value that is stored once and that many rows may refer to. */
function spend(column: ArrowColumn, file: ArrowFile, bytes: number): void {
  file.budget.bytes -= bytes
  if (file.budget.bytes < 0) throw problem(column, 'its values are too large when written out')
}

export interface Vectors {
  dimension: number
  /** A view into the file if its bytes are aligned, otherwise a copy. */
  row(row: number): Float32Array | null
}

/** fixed_size_list of float32. NaN is not rejected here. */
export function readVectors(column: ArrowColumn): Vectors {
  const { field } = column
  const child = column.children[0]
  const isFloat32 = child?.field.typeId === TypeId.float && child.field.type?.int16(0) === 1
  if (field.dictionary !== null || field.typeId !== TypeId.fixedSizeList || child === undefined || !isFloat32) {
    throw problem(column, 'must be of type fixed_size_list<float32>')
  }
  const dimension = field.type?.int32(0) ?? 0
  if (dimension < 1) throw problem(column, 'must have at least one dimension')
  if (child.length < column.length * dimension) throw problem(column, 'has too few values')
  const bytes = child.buffers[1] ?? new Uint8Array(0)
  if (bytes.length < column.length * dimension * 4) throw problem(column, 'has too few values')
  const values = floats(bytes)
  const valid = validity(column)
  const present = validity(child)
  const complete = child.nullCount === 0
  return {
    dimension,
    row: (row) => {
      if (!valid(row)) return null
      const start = row * dimension
      if (!complete && someMissing(present, start, dimension)) {
        throw problem(column, `row ${row} has a null among its values`)
      }
      return values.subarray(start, start + dimension)
    },
  }
}

function someMissing(present: (at: number) => boolean, start: number, count: number): boolean {
  for (let i = start; i < start + count; i++) if (!present(i)) return true
  return false
}

function floats(bytes: Uint8Array): Float32Array {
  const length = Math.floor(bytes.length / 4)
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Float32Array(aligned.buffer, aligned.byteOffset, length)
}
