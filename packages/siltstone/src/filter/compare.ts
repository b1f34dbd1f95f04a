import type { MetadataScalar } from '../model/record.ts'

/**
 * A key under which two scalars are `===` (and one to a Set) exactly when they are equal as filters mean it: numbers
 * by value whether integer or float, exactly also beyond 2^53; a boolean is no number.
 */
export function equalityKey(value: MetadataScalar): MetadataScalar {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value
}
