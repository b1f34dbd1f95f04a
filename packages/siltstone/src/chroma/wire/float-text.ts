/** Prints 32-bit floats as the shortest decimals that read back as the same float. */
import { shortestDouble } from '../../records/shortest-double.ts'

/** JSON text of an array of 32-bit floats. */
export function floatsText(vector: Float32Array): string {
  const doubles = new Float64Array(vector.length)
  for (let i = 0; i < vector.length; i++) doubles[i] = shortestDouble(vector[i] as number)
  return numbersText(Array.from(doubles))
}

/**
 * JSON text of an array of floats. Integral values are written as `1.0`, so that clients which distinguish integers and
 * floats read floats. Values that are not finite become null.
 */
export function numbersText(numbers: readonly number[]): string {
  return numbers.some(Number.isInteger) ? `[${numbers.map(numberText).join(',')}]` : JSON.stringify(numbers)
}

export function numberText(number: number): string {
  if (!Number.isFinite(number)) return 'null'
  if (!Number.isInteger(number)) return String(number)
  const text = Object.is(number, -0) ? '-0' : String(number)
  return text.includes('e') ? text : `${text}.0`
}

/** JSON text of a 32-bit float. */
export function floatText(value: number): string {
  return numberText(shortestDouble(value))
}
