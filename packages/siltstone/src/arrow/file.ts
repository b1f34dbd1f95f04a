/**
 * Reader of Arrow IPC files (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format): footer, dictionaries
 * and record batches, down to the buffers of each column. `columns.ts` decodes their values.
 *
 * Files come from any producer, and every process and version must refuse the same ones, so no Arrow library is used:
 * every offset is checked, and no loop is longer than the file.
 */
import { utf8Decode, zstdDecompress } from '#codec'
import { Table } from './flatbuffer.ts'
import { decodeLz4Frame } from './lz4.ts'
import { FormatProblem } from './problem.ts'
import { type ArrowField, type ArrowSchema, readSchema, TypeId } from './schema.ts'

const MAGIC = 'ARROW1'
/**
 * Limit of the decompressed buffers of a file together, and of the values that dictionaries and views expand to: a few
 * kilobytes must not become a gigabyte.
 */
const MAX_RAW_BYTES = 256 * 1024 * 1024

/** One column of one batch: its own buffers, then its children. */
export interface ArrowColumn {
  field: ArrowField
  length: number
  nullCount: number
  /** In the order of the format; the validity bitmap first (empty when there are no nulls). */
  buffers: Uint8Array[]
  children: ArrowColumn[]
}

export interface ArrowBatch {
  length: number
  columns: ArrowColumn[]
}

export interface ArrowFile {
  schema: ArrowSchema
  batches: ArrowBatch[]
  /** By dictionary id; several columns when deltas were appended. */
  dictionaries: Map<number, ArrowColumn[]>
  /** Decoded values by dictionary id. */
  words: Map<number, (string | null)[]>
  /** Bytes that values of dictionaries and views may still expand to. */
  budget: { bytes: number }
}

/** Range of the footer's FlatBuffer. */
export function footerRange(bytes: Uint8Array): { start: number; end: number } {
  const end = bytes.length - 10
  const text = (from: number): string => utf8Decode(bytes, from, from + MAGIC.length)
  if (end < 8 || text(0) !== MAGIC) throw new FormatProblem('not an Arrow IPC file')
  if (text(bytes.length - MAGIC.length) !== MAGIC) throw new FormatProblem('the Arrow file is cut off')
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(end, true)
  if (length <= 0 || length > end - 8) throw new FormatProblem("the Arrow file's footer is damaged")
  return { start: end - length, end }
}

/** @throws FormatProblem, or RangeError from a damaged offset */
export function readArrowFile(bytes: Uint8Array): ArrowFile {
  const { footer, schema } = readFooter(bytes)
  const [dictionaries, batches] = [blocks(footer, 2), blocks(footer, 3)]
  checkApart([...dictionaries, ...batches], bytes.length)
  const reader = new FileReader(bytes, schema)
  for (const block of dictionaries) reader.dictionary(block)
  return {
    schema: reader.schema,
    batches: batches.map((block) => reader.batch(block)),
    dictionaries: reader.dictionaries,
    words: new Map(),
    budget: { bytes: MAX_RAW_BYTES },
  }
}

/** Blocks that overlap could make one batch count as a million. */
function checkApart(all: readonly Block[], fileBytes: number): void {
  let total = 0
  for (const { metadataLength, bodyLength } of all) total += Math.max(0, metadataLength) + Math.max(0, bodyLength)
  if (total > fileBytes) throw new FormatProblem('its blocks lie over each other')
}

export function readArrowSchema(bytes: Uint8Array): ArrowSchema {
  return readFooter(bytes).schema
}

function readFooter(bytes: Uint8Array): { footer: Table; schema: ArrowSchema } {
  const { start, end } = footerRange(bytes)
  const footer = Table.root(bytes.subarray(start, end))
  const table = footer.table(1)
  if (table === undefined) throw new FormatProblem('the Arrow file has no schema')
  return { footer, schema: readSchema(table) }
}

interface Block {
  offset: number
  metadataLength: number
  bodyLength: number
}

function blocks(footer: Table, index: number): Block[] {
  // The struct's second word is a 32-bit length and 32 bits of padding.
  return footer.structs(index, 24, (word, half) => ({
    offset: word(0),
    metadataLength: half(8),
    bodyLength: word(16),
  }))
}

class FileReader {
  readonly schema: ArrowSchema
  readonly dictionaries = new Map<number, ArrowColumn[]>()
  readonly #bytes: Uint8Array
  readonly #budget = { bytes: MAX_RAW_BYTES }
  readonly #fieldOfDictionary = new Map<number, ArrowField>()

  constructor(bytes: Uint8Array, schema: ArrowSchema) {
    this.#bytes = bytes
    this.schema = schema
    noteDictionaries(schema.fields, this.#fieldOfDictionary)
  }

  batch(block: Block): ArrowBatch {
    const { header, headerType, body } = this.#message(block)
    if (headerType !== 3 || header === undefined) throw new FormatProblem('a record batch is missing')
    return new BatchReader(header, body, this.#budget).read(this.schema.fields)
  }

  dictionary(block: Block): void {
    const { header, headerType, body } = this.#message(block)
    const data = header?.table(1)
    if (headerType !== 2 || header === undefined || data === undefined)
      throw new FormatProblem('a dictionary is missing')
    const id = header.int64(0)
    const field = this.#fieldOfDictionary.get(id)
    if (field === undefined) return
    const values: ArrowField = { ...field, dictionary: null }
    const [column] = new BatchReader(data, body, this.#budget).read([values]).columns
    if (column === undefined) throw new FormatProblem('a dictionary is empty')
    const known = this.dictionaries.get(id)
    if (header.bool(2) && known !== undefined) known.push(column)
    else this.dictionaries.set(id, [column])
  }

  #message(block: Block): { header: Table | undefined; headerType: number; body: Uint8Array } {
    const { offset, metadataLength, bodyLength } = block
    const bodyStart = offset + metadataLength
    if (offset < 8 || metadataLength < 8 || bodyLength < 0 || bodyStart + bodyLength > this.#bytes.length) {
      throw new FormatProblem('a block lies outside the file')
    }
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + offset, metadataLength)
    // 0xffffffff marks the current framing; files from before Arrow 0.15 begin with the length.
    const prefix = view.getInt32(0, true) === -1 ? 8 : 4
    const message = Table.root(this.#bytes.subarray(offset + prefix, bodyStart))
    return {
      headerType: message.int8(1),
      header: message.table(2),
      body: this.#bytes.subarray(bodyStart, bodyStart + bodyLength),
    }
  }
}

/** Collects the first field that uses each dictionary. */
function noteDictionaries(fields: readonly ArrowField[], found: Map<number, ArrowField>): void {
  for (const field of fields) {
    const id = field.dictionary?.id
    if (id !== undefined && !found.has(id)) found.set(id, field)
    noteDictionaries(field.children, found)
  }
}

class BatchReader {
  readonly #length: number
  readonly #nodes: { length: number; nullCount: number }[]
  readonly #regions: { offset: number; length: number }[]
  readonly #variadic: number[]
  readonly #codec: number | undefined
  readonly #body: Uint8Array
  readonly #budget: { bytes: number }
  #node = 0
  #region = 0
  #view = 0

  constructor(batch: Table, body: Uint8Array, budget: { bytes: number }) {
    this.#length = batch.int64(0)
    if (this.#length < 0) throw new FormatProblem('a batch has a negative length')
    this.#nodes = batch.structs(1, 16, (word) => ({ length: word(0), nullCount: word(8) }))
    this.#regions = batch.structs(2, 16, (word) => ({ offset: word(0), length: word(8) }))
    this.#variadic = batch.structs(4, 8, (word) => word(0))
    this.#codec = batch.table(3)?.int8(0)
    this.#body = body
    this.#budget = budget
  }

  read(fields: ArrowField[]): ArrowBatch {
    const columns = fields.map((field) => this.#column(field))
    for (const column of columns) {
      if (column.length !== this.#length) throw new FormatProblem(`column ${column.field.name} has another length`)
    }
    return { length: this.#length, columns }
  }

  #column(field: ArrowField): ArrowColumn {
    const node = this.#nodes[this.#node++]
    if (node === undefined || node.length < 0) throw new FormatProblem(`column ${field.name} is missing in a batch`)
    const buffers: Uint8Array[] = []
    for (let count = this.#bufferCount(field); count > 0; count--) buffers.push(this.#buffer())
    const children = field.dictionary === null ? field.children.map((child) => this.#column(child)) : []
    return { field, length: node.length, nullCount: node.nullCount, buffers, children }
  }

  #bufferCount(field: ArrowField): number {
    if (field.dictionary !== null) return 2
    switch (field.typeId) {
      case TypeId.null:
      case TypeId.runEndEncoded:
        return 0
      case TypeId.struct:
      case TypeId.fixedSizeList:
        return 1
      case TypeId.utf8:
      case TypeId.largeUtf8:
      case TypeId.binary:
      case TypeId.largeBinary:
      case TypeId.listView:
      case TypeId.largeListView:
        return 3
      case TypeId.utf8View:
      case TypeId.binaryView: {
        const variadic = this.#variadic[this.#view++] ?? 0
        if (variadic < 0 || variadic > this.#regions.length) throw new FormatProblem('a view column is damaged')
        return 2 + variadic
      }
      case TypeId.union:
        // Sparse (0): type ids; dense (1): type ids and offsets.
        return field.type?.int16(0) === 1 ? 2 : 1
      default:
        return 2
    }
  }

  #buffer(): Uint8Array {
    const region = this.#regions[this.#region++]
    if (region === undefined) throw new FormatProblem('a buffer is missing')
    const { offset, length } = region
    if (offset < 0 || length < 0 || offset + length > this.#body.length) {
      throw new FormatProblem('a buffer lies outside its batch')
    }
    const stored = this.#body.subarray(offset, offset + length)
    return this.#codec === undefined || length === 0 ? stored : this.#decompress(stored, this.#codec)
  }

  #decompress(stored: Uint8Array, codec: number): Uint8Array {
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
    const rawLength = Number(view.getBigInt64(0, true))
    const packed = stored.subarray(8)
    if (rawLength === -1) return packed
    this.#budget.bytes -= rawLength
    if (rawLength < 0 || this.#budget.bytes < 0) throw new FormatProblem('compressed buffers are too large')
    if (rawLength === 0) return new Uint8Array(0)
    if (codec === 0) return decodeLz4Frame(packed, rawLength)
    if (codec !== 1) throw new FormatProblem(`compression ${codec} is not known`)
    const raw = zstdDecompress(packed, rawLength)
    if (raw.length !== rawLength) throw new FormatProblem('a compressed buffer has another length than it says')
    return raw
  }
}
