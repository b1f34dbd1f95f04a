import type { MetadataScalar } from '../model/record.ts'

/**
 * A key for `===` and for sets: keys of two scalars are equal exactly if filters consider the scalars equal. Integers and
 * floats are equal if their exact values are, beyond 2^53 too; a boolean never equals a number.
 */
export function equalityKey(value: MetadataScalar): MetadataScalar {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value
}
