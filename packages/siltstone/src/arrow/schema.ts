/**
 * The part of an Arrow schema that record files need.
 * Tables and numbers: https://github.com/apache/arrow/blob/main/format/Schema.fbs
 */
import type { Table } from './flatbuffer.ts'
import { FormatProblem } from './problem.ts'

export const TypeId = {
  null: 1,
  int: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  list: 12,
  struct: 13,
  union: 14,
  fixedSizeList: 16,
  map: 17,
  largeBinary: 19,
  largeUtf8: 20,
  largeList: 21,
  runEndEncoded: 22,
  binaryView: 23,
  utf8View: 24,
  listView: 25,
  largeListView: 26,
} as const

export interface ArrowField {
  name: string
  typeId: number
  type: Table | undefined
  children: ArrowField[]
  dictionary: { id: number; indexBits: number; indexSigned: boolean } | null
}

export interface ArrowSchema {
  fields: ArrowField[]
  metadata: Map<string, string>
}

const MAX_DEPTH = 8
const MAX_FIELDS = 10_000

export function readSchema(table: Table): ArrowSchema {
  if (table.int16(0) !== 0) throw new FormatProblem('big-endian Arrow files are not accepted')
  const budget = { fields: MAX_FIELDS }
  const metadata = new Map<string, string>()
  for (const pair of table.tables(2)) metadata.set(pair.string(0) ?? '', pair.string(1) ?? '')
  return { fields: table.tables(1).map((field) => readField(field, budget, 0)), metadata }
}

function readField(table: Table, budget: { fields: number }, depth: number): ArrowField {
  if (depth > MAX_DEPTH || budget.fields-- <= 0) throw new FormatProblem('the schema is too deep or too large')
  const encoding = table.table(4)
  const index = encoding?.table(1)
  return {
    name: table.string(0) ?? '',
    typeId: table.int8(2),
    type: table.table(3),
    children: table.tables(5).map((child) => readField(child, budget, depth + 1)),
    dictionary:
      encoding === undefined
        ? null
        : { id: encoding.int64(0), indexBits: index?.int32(0) ?? 32, indexSigned: index?.bool(1) ?? true },
  }
}
