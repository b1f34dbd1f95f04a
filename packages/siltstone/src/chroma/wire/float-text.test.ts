import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shortestDouble } from '../../records/shortest-double.ts'
import { floatsText, numbersText } from './float-text.ts'

/** Every bit pattern of a finite float. */
const float = fc
  .integer({ min: 0, max: 2 ** 32 - 1 })
  .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0] as number)
  .filter(Number.isFinite)

describe('shortestDouble', () => {
  it('prints the shortest text that reads back as the same float', () => {
    fc.assert(
      fc.property(fc.oneof(float, fc.float({ noNaN: true, noDefaultInfinity: true })), (value) => {
        const text = String(shortestDouble(value))
        expect(Math.fround(Number(text)) === value).toBe(true)
        // Small integers are printed whole.
        const digits = Number.isInteger(value) && Math.abs(value) < 1e9 ? 0 : significantDigits(text)
        for (let fewer = 1; fewer < digits; fewer++) {
          expect(Math.fround(Number(value.toPrecision(fewer)))).not.toBe(value)
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('prints known floats, integers among them as floats', () => {
    const floats = [0.1, 1 / 3, 1e-45, 3.4028234663852886e38, 123456792, 5e-324, -0.5, 1e10, -0, 1e30]
    expect(floatsText(Float32Array.from(floats))).toBe(
      '[0.1,0.33333334,1e-45,3.4028235e+38,123456792.0,0.0,-0.5,10000000000.0,-0.0,1e+30]',
    )
    expect(floatsText(Float32Array.of(0.1, 0.2))).toBe('[0.1,0.2]')
    expect(floatsText(Float32Array.of())).toBe('[]')
    expect(numbersText([1, 0.5, Number.POSITIVE_INFINITY])).toBe('[1.0,0.5,null]')
  })
})

function significantDigits(text: string): number {
  const digits = text.replace(/e.*$/, '').replace(/[-.]/g, '').replace(/^0+/, '')
  return digits.replace(/0+$/, '').length
}
