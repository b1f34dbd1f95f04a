import { tableFromIPC } from 'apache-arrow'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTexts, readVectors } from './columns.ts'
import { readArrowFile } from './file.ts'
import { Table } from './flatbuffer.ts'
import { encodeFlatBuffer } from './flatbuffer-writer.ts'
import { textColumn, vectorColumn, writeArrowFile } from './write.ts'

interface Rows {
  texts: (string | null)[]
  vectors: (Float32Array | null)[]
  dimension: number
  metadata: Map<string, string>
}

const fileOf = ({ texts, vectors, dimension, metadata }: Rows): Uint8Array =>
  writeArrowFile(
    [
      textColumn('text', texts, true),
      vectorColumn('vector', vectors, dimension),
      textColumn(
        'length',
        texts.map((text) => String(text?.length)),
        false,
      ),
    ],
    texts.length,
    metadata,
  )

function expectOurs(bytes: Uint8Array, { texts, vectors, dimension, metadata }: Rows): void {
  const file = readArrowFile(bytes)
  expect(file.schema.metadata).toEqual(metadata)
  expect(file.schema.fields.map(({ name }) => name)).toEqual(['text', 'vector', 'length'])
  expect(file.batches.map(({ length }) => length)).toEqual(texts.length === 0 ? [] : [texts.length])
  for (const { columns } of file.batches) {
    const [text, vector, length] = columns
    if (text === undefined || vector === undefined || length === undefined) throw new Error('a column is missing')
    expect(readTexts(text, file)).toEqual(texts)
    expect(readTexts(length, file)).toEqual(texts.map((it) => String(it?.length)))
    const read = readVectors(vector)
    expect(read.dimension).toBe(dimension)
    expect(vectors.map((_, row) => read.row(row))).toEqual(vectors)
    for (const { buffers } of columns)
      for (const buffer of buffers) if (buffer.length > 0) expect((buffer.byteOffset - bytes.byteOffset) % 8).toBe(0)
  }
}

function expectArrows(bytes: Uint8Array, { texts, vectors, dimension, metadata }: Rows): void {
  const table = tableFromIPC(bytes)
  expect(table.numRows).toBe(texts.length)
  expect(table.schema.metadata).toEqual(metadata)
  expect(table.schema.fields.map(({ name, nullable, type }) => [name, nullable, String(type)])).toEqual([
    ['text', true, 'Utf8'],
    ['vector', true, `FixedSizeList[${dimension}]<Float32>`],
    ['length', false, 'Utf8'],
  ])
  expect(texts.map((_, row) => table.getChild('text')?.get(row))).toEqual(texts)
  const vector = table.getChild('vector')
  expect(vectors.map((_, row) => vector?.get(row)?.toArray() ?? null)).toEqual(vectors)
}

function expectRead(rows: Rows): void {
  const bytes = fileOf(rows)
  expectOurs(bytes, rows)
  expectArrows(bytes, rows)
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }).filter((it) => it.isWellFormed()),
  fc.constantFrom('', 'x', 'crc32:00000000'),
)
const rowsOf = fc.constantFrom(1, 2, 3, 7, 384, 1_536).chain((dimension) =>
  fc
    .record({
      rows: fc.array(fc.record({ text: fc.option(text), seed: fc.option(fc.float({ noNaN: true })) }), {
        maxLength: 40,
      }),
      metadata: fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { noNullPrototype: true }),
    })
    .map(
      ({ rows, metadata }): Rows => ({
        texts: rows.map((row) => row.text),
        vectors: rows.map(({ seed }) =>
          seed === null ? null : Float32Array.from({ length: dimension }, (_, i) => seed + i),
        ),
        dimension,
        metadata: new Map(Object.entries(metadata)),
      }),
    ),
)

describe('an Arrow file', () => {
  it('is read by our reader and by the Arrow library', () => {
    fc.assert(fc.property(rowsOf, expectRead))
  })

  it('may hold no rows, only nulls, and texts larger than a chunk', () => {
    const metadata = new Map([
      ['name', 'é€😀'],
      ['', ''],
    ])
    const vectors = (count: number) => Array.from({ length: count }, () => null)
    expectRead({ texts: [], vectors: [], dimension: 3, metadata })
    expectRead({ texts: vectors(9), vectors: vectors(9), dimension: 3, metadata })
    const large = ['a'.repeat(70_000), '€'.repeat(300_000), '', 'é'.repeat(65_537), null, '😀'.repeat(100_000), 'b']
    expectRead({ texts: large, vectors: vectors(7), dimension: 1, metadata })
    const many = Array.from({ length: 30_000 }, (_, i) => `text ${i} ü`)
    expectRead({ texts: many, vectors: vectors(30_000), dimension: 1, metadata })
  })

  it('replaces lone surrogates', () => {
    const file = readArrowFile(writeArrowFile([textColumn('a', ['x\ud800', '\udc00y'], false)], 2, new Map()))
    const [column] = file.batches[0]?.columns ?? []
    expect(column && readTexts(column, file)).toEqual(['x\ufffd', '\ufffdy'])
  })

  it('is not written with vectors of several dimensions', () => {
    const vectors = [Float32Array.of(1, 2), Float32Array.of(1)]
    expect(() => vectorColumn('v', vectors, 2)).toThrow('vector 1 has 1 values, not 2')
  })

  it('takes a vector that is a view', () => {
    const values = Float32Array.of(9, 1, 2, 9)
    const file = readArrowFile(writeArrowFile([vectorColumn('v', [values.subarray(1, 3)], 2)], 1, new Map()))
    const [column] = file.batches[0]?.columns ?? []
    expect(column && readVectors(column).row(0)).toEqual(Float32Array.of(1, 2))
  })
})

describe('a FlatBuffer', () => {
  it('gives back integers of every width, texts, tables and structs', () => {
    const int64 = fc.maxSafeInteger()
    const nodes = fc.record({
      byte: fc.integer({ min: -128, max: 127 }),
      short: fc.integer({ min: -32_768, max: 32_767 }),
      int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      long: int64,
      text: fc.string({ unit: 'grapheme' }).filter((it) => it.isWellFormed()),
      names: fc.array(fc.string({ maxLength: 9 })),
      pairs: fc.array(fc.tuple(int64, int64)),
    })
    fc.assert(
      fc.property(nodes, ({ byte, short, int, long, text, names, pairs }) => {
        const bytes = encodeFlatBuffer({
          table: [
            { bits: 8, value: byte },
            { bits: 64, value: long },
            null,
            { text },
            { bits: 16, value: short },
            { tables: names.map((name) => ({ table: [{ text: name }] })) },
            { structs: BigInt64Array.from(pairs.flat().map(BigInt)), count: pairs.length },
            { table: [{ bits: 32, value: int }] },
          ],
        })
        expect(bytes.length % 8).toBe(0)
        const table = Table.root(bytes)
        expect([table.int8(0), table.int64(1), table.int8(2, 5), table.string(3), table.int16(4)]).toEqual([
          byte,
          long,
          5,
          text,
          short,
        ])
        expect(table.tables(5).map((it) => it.string(0))).toEqual(names)
        expect(table.structs(6, 16, (word) => [word(0), word(8)])).toEqual(pairs)
        expect(table.table(7)?.int32(0)).toBe(int)
      }),
    )
  })
})
