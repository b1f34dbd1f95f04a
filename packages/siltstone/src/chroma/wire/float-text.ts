/**
 * Prints 32-bit floats as the shortest decimals that read back as the same float.
 *
 * JavaScript prints a number as the shortest text that reads back as the same *double*: 0.1f as 0.10000000149011612. But
 * the double nearest to the decimal 0.1 prints as 0.1. So each float is replaced by the double nearest to its shortest
 * decimal, and JSON.stringify prints that. Nine digits always suffice (IEEE 754: 24-bit significand), and every six digits
 * survive, so at most four candidates are tried.
 */
const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i)
/** 10^22 is the largest power of ten that a double holds exactly; with larger ones, division would round twice. */
const LARGEST_POWER = 22

/** The double whose shortest text is the shortest that reads back as the float `value`. */
export function shortestDouble(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value
  if (!Number.isFinite(value)) return value
  const exponent = Math.floor(Math.log10(Math.abs(value)))
  for (let digits = 6; digits <= 9; digits++) {
    const shift = digits - 1 - exponent
    if (shift > LARGEST_POWER || shift < -LARGEST_POWER) return shortestByText(value)
    const power = POWERS[Math.abs(shift)] as number
    const candidate = shift >= 0 ? Math.round(value * power) / power : Math.round(value / power) * power
    if (Math.fround(candidate) === value) return candidate
  }
  return shortestByText(value)
}

function shortestByText(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const candidate = Number(value.toPrecision(digits))
    if (Math.fround(candidate) === value) return candidate
  }
  return value
}

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
