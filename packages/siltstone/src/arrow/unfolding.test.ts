/** Small files that would become large ones: refused, by the bytes there are. */
import { readFileSync } from 'node:fs'
import { Dictionary, Int8, Table as ArrowTable, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { isSiltstoneError } from '../errors.ts'
import { decodeDelta } from '../format/delta.ts'
import { inboxKey } from '../format/keys.ts'
import { somePath, someUlid } from '../format/testing.ts'
import { footerRange } from './file.ts'
import { Table } from './flatbuffer.ts'
import { decodeLz4Frame } from './lz4.ts'

function verdict(bytes: Uint8Array): string | number {
  try {
    return decodeDelta(bytes, inboxKey(somePath, someUlid)).records.length
  } catch (error) {
    return isSiltstoneError(error, 'invalid') ? error.message : String(error)
  }
}

const text = (values: string[]) => vectorFromArray(values, new Utf8())
const deletes = (ids: string[]) => new ArrowTable({ id: text(ids), op: text(ids.map(() => 'delete')) })
const fileOf = (table: ArrowTable) => tableToIPC(table, 'file')

describe('small files that unfold', () => {
  it('a dictionary of one large word that many rows name', () => {
    const of = (rows: number) => {
      const ids = Array.from({ length: rows }, (_, i) => `${i}`)
      const words = new Dictionary(new Utf8(), new Int8())
      const documents = vectorFromArray(
        ids.map(() => 'x'.repeat(2 ** 20)),
        words,
      )
      return fileOf(new ArrowTable({ id: text(ids), op: text(ids.map(() => 'update')), document: documents }))
    }
    expect(of(300).length).toBeLessThan(2 ** 21)
    expect(verdict(of(200))).toBe(200)
    expect(verdict(of(300))).toContain('too large when written out')
  })

  it('a batch that the footer names twice', () => {
    const large = deletes(Array.from({ length: 500 }, (_, i) => `id ${i}`))
    const bytes = fileOf(large.concat(deletes(['last'])))
    expect(verdict(bytes)).toBe(501)
    const [first, second] = blocksOf(bytes)
    if (first === undefined || second === undefined) throw new Error('the footer has no two blocks')
    bytes.copyWithin(second, first, first + 24)
    expect(verdict(bytes)).toContain('lie over each other')
  })

  it('tables of a FlatBuffer that share one text', () => {
    const texts = (count: number, length: number) =>
      Table.root(sharing(count, length))
        .tables(0)
        .map((table) => table.string(0)?.length)
    expect(texts(3, 10)).toEqual([10, 10, 10])
    expect(() => texts(100, 1_000)).toThrow('lie over each other')
  })

  it.each([
    ['pyarrow-zstd.arrow', 0xfd2fb528],
    ['pyarrow-lz4.arrow', 0x184d2204],
  ])('compressed buffers of %s that say they are large', (name, magic) => {
    const bytes = new Uint8Array(readFileSync(new URL(`../format/golden/${name}`, import.meta.url)))
    expect(verdict(bytes)).toBeGreaterThan(0)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let packed = 8
    while (view.getUint32(packed, true) !== magic) packed++
    for (const [length, reason] of [
      [2n ** 40n, 'too large'],
      [300_000_000n, 'too large'],
      [200_000_000n, /length|shorter/],
      [-5n, 'too large'],
    ] as const) {
      view.setBigInt64(packed - 8, length, true)
      expect(verdict(bytes)).toMatch(reason)
    }
  })

  it('an LZ4 frame that says more than it can hold', () => {
    const frame = new Uint8Array(Buffer.from('BCJNGGBAggsAAAAfYQEAP1BhYWFhYQAAAAA=', 'base64'))
    expect(decodeLz4Frame(frame, 88)).toHaveLength(88)
    expect(() => decodeLz4Frame(frame, 200_000_000)).toThrow('shorter than it says')
  })
})

/** Where the footer's structs (offset, metadata length, body length) of record batches lie. */
function blocksOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { start, end } = footerRange(bytes)
  const found: number[] = []
  for (let at = start; at + 24 <= end; at += 4) {
    const offset = view.getBigInt64(at, true)
    const metadata = view.getInt32(at + 8, true)
    const isBlock = offset >= 8n && offset < BigInt(start) && metadata > 8 && metadata < start
    if (isBlock && view.getInt32(Number(offset), true) === -1) found.push(at)
  }
  return found
}

/** A root with a list of `count` references to one table with a text of `length` bytes. */
function sharing(count: number, length: number): Uint8Array {
  const [rootVtable, root, list] = [4, 10, 18]
  const child = list + 4 + count * 4
  const vtable = child + 8
  const words = vtable + 6
  const bytes = Buffer.alloc(words + 4 + length, 'x')
  const table = (at: number, itsVtable: number, target: number) => {
    bytes.writeUInt16LE(6, itsVtable)
    bytes.writeUInt16LE(8, itsVtable + 2)
    bytes.writeUInt16LE(4, itsVtable + 4)
    bytes.writeInt32LE(at - itsVtable, at)
    bytes.writeUInt32LE(target - (at + 4), at + 4)
  }
  bytes.writeUInt32LE(root, 0)
  table(root, rootVtable, list)
  bytes.writeUInt32LE(count, list)
  for (let i = 0; i < count; i++) bytes.writeUInt32LE(child - (list + 4 + i * 4), list + 4 + i * 4)
  table(child, vtable, words)
  bytes.writeUInt32LE(length, words)
  return bytes
}
