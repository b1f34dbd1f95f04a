import { invalid } from '../errors.ts'
import type { ByteRange } from './object-store.ts'

/**
 * The bytes [start, end) that a range selects in an object of `sizeBytes`: cut at the end of the object, empty past it.
 * Without a range, all bytes.
 * @throws SiltstoneError `invalid` (bad-range) for a negative or fractional number
 */
export function cutRange(range: ByteRange | undefined, sizeBytes: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: sizeBytes }
  const { offset, length } = range
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw invalid('bad-range', `A byte range needs whole numbers from 0 on, not offset ${offset}, length ${length}.`, {
      field: 'range',
    })
  }
  const start = Math.min(offset, sizeBytes)
  return { start, end: Math.min(start + length, sizeBytes) }
}
