/** Vectors in files under bench/.data/sets, written once: only rows of little-endian f32. */
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { SETS } from '../places.ts'

const ROWS_AT_ONCE = 10_000

/** Path of the file, which is written first if it does not exist. */
export function matrixFile(
  key: string,
  count: number,
  dimension: number,
  row: (index: number) => Float32Array,
): string {
  const path = join(SETS, `${key}.f32`)
  if (existsSync(path) && statSync(path).size === count * dimension * 4) return path
  mkdirSync(SETS, { recursive: true })
  const unfinished = `${path}.${process.pid}`
  const file = openSync(unfinished, 'w')
  const block = new Float32Array(ROWS_AT_ONCE * dimension)
  for (let start = 0; start < count; start += ROWS_AT_ONCE) {
    const rows = Math.min(ROWS_AT_ONCE, count - start)
    for (let i = 0; i < rows; i++) block.set(row(start + i), i * dimension)
    writeSync(file, block, 0, rows * dimension * 4)
  }
  closeSync(file)
  renameSync(unfinished, path)
  return path
}

/** The whole file as one matrix, which may be larger than one read allows. */
export function readMatrix(path: string): Float32Array {
  const bytes = new Uint8Array(statSync(path).size)
  const file = openSync(path, 'r')
  readWhole(file, bytes, 0, path)
  closeSync(file)
  return new Float32Array(bytes.buffer)
}

/** Fills `bytes` with those of a file from `start` on, which may be more than one read allows. */
function readWhole(file: number, bytes: Uint8Array, start: number, path: string): void {
  for (let at = 0; at < bytes.length; ) {
    const got = readSync(file, bytes, at, Math.min(1 << 28, bytes.length - at), start + at)
    if (got === 0) throw new Error(`${path} ended early`)
    at += got
  }
}

/** A larger file is not held in memory. */
const MOST_BYTES = 4 * 2 ** 30
/** Of a larger file, the last used blocks are kept. */
const KEPT_BLOCKS = 128
const BLOCK_ROWS = 1_024

/** The rows of a file. What it returns is a view of memory that is not overwritten. */
export function matrixRows(path: string, dimension: number): (row: number) => Float32Array {
  const { size } = statSync(path)
  if (size <= MOST_BYTES) {
    const matrix = readMatrix(path)
    return (row) => matrix.subarray(row * dimension, (row + 1) * dimension)
  }
  const file = openSync(path, 'r')
  const blocks = new Map<number, Float32Array>()
  const blockOf = (number: number): Float32Array => {
    let block = blocks.get(number)
    if (block) blocks.delete(number)
    else {
      const start = number * BLOCK_ROWS * dimension * 4
      block = new Float32Array(Math.min(BLOCK_ROWS * dimension, (size - start) / 4))
      readWhole(file, new Uint8Array(block.buffer), start, path)
    }
    blocks.set(number, block)
    const [oldest] = blocks.keys()
    if (blocks.size > KEPT_BLOCKS && oldest !== undefined) blocks.delete(oldest)
    return block
  }
  return (row) => {
    const at = (row % BLOCK_ROWS) * dimension
    return blockOf(Math.floor(row / BLOCK_ROWS)).subarray(at, at + dimension)
  }
}

/** Reads block by block, for programs that should not hold the whole file. */
export function* matrixBlocks(path: string, dimension: number): Generator<{ start: number; rows: Float32Array[] }> {
  const count = statSync(path).size / (dimension * 4)
  const file = openSync(path, 'r')
  try {
    for (let start = 0; start < count; start += ROWS_AT_ONCE) {
      const rows = Math.min(ROWS_AT_ONCE, count - start)
      const block = new Float32Array(rows * dimension)
      readSync(file, block, 0, block.byteLength, start * dimension * 4)
      yield {
        start,
        rows: Array.from({ length: rows }, (_, i) => block.subarray(i * dimension, (i + 1) * dimension)),
      }
    }
  } finally {
    closeSync(file)
  }
}
