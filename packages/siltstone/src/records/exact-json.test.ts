import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ExactJson, parseExact, stringifyExact } from './exact-json.ts'

const { tree } = fc.letrec<{ tree: ExactJson }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: 'binary' }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('tree')),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), fc.constantFrom('__proto__', '2', '1', 'constructor')), tie('tree')))
      .map((entries) => new Map(entries) as ExactJson),
  ),
}))

/** JSON.parse makes infinities of large exponents, which the exact parser refuses. */
function isBeyondDoubles(json: unknown): boolean {
  if (typeof json === 'number') return !Number.isFinite(json)
  return typeof json === 'object' && json !== null && Object.values(json).some(isBeyondDoubles)
}

describe('exact JSON', () => {
  it('round trips every value, in order', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const text = stringifyExact(value)
        const back = parseExact(text)
        expect(back).toEqual(value)
        expect(stringifyExact(back)).toBe(text)
      }),
    )
  })

  it('agrees with JSON.parse on what is JSON', () => {
    const mutated = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '"', '\\', ',', '{', ']', '-', '0', 'e', '.', '\n', '\u0001', '1e999'),
      )
      .map(
        ([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice((at % (text.length + 1)) + 1),
      )
    fc.assert(
      fc.property(fc.oneof(fc.json(), mutated, fc.string()), (text) => {
        let theirs: unknown
        let refused = false
        try {
          theirs = JSON.parse(text)
        } catch {
          refused = true
        }
        if (refused) {
          expect(() => parseExact(text)).toThrow(SyntaxError)
          return
        }
        if (isBeyondDoubles(theirs)) {
          expect(() => parseExact(text)).toThrow(SyntaxError)
          return
        }
        expect(JSON.stringify(plain(parseExact(text)))).toBe(JSON.stringify(theirs))
      }),
      { numRuns: 500 },
    )
  })

  it('keeps integers and floats apart', () => {
    expect(parseExact('[1, 1.0, 1e0, 9223372036854775807, -9223372036854775808]')).toEqual([
      1n,
      1,
      1,
      9223372036854775807n,
      -9223372036854775808n,
    ])
    expect(parseExact('[9223372036854775808, -9223372036854775809]')).toEqual([2 ** 63, -(2 ** 63)])
    expect(stringifyExact([1n, 1, 1e300, -0, 0.5, 1e-7])).toBe('[1,1.0,1e+300,-0.0,0.5,1e-7]')
    expect(parseExact('-0')).toBe(-0)
  })

  it('cannot pollute a prototype', () => {
    const value = parseExact('{"__proto__": {"a": 1}}') as Map<string, ExactJson>
    expect(value.get('__proto__')).toEqual(new Map([['a', 1n]]))
    expect(({} as { a?: unknown }).a).toBeUndefined()
  })

  it('refuses what has no text', () => {
    for (const value of [Number.NaN, Infinity, 2n ** 63n, undefined, () => 0]) {
      expect(() => stringifyExact(value)).toThrow(TypeError)
    }
    for (const text of ['NaN', 'Infinity', '1e999', '01', '', '{"a":1,}', '[1,]', '"a', "{'a':1}", '1 2']) {
      expect(() => parseExact(text), text).toThrow(SyntaxError)
    }
    expect(() => parseExact('['.repeat(100_000))).toThrow('levels')
  })
})

/** As JSON.parse would give it. */
function plain(value: ExactJson): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (!(value instanceof Map)) return value
  const object: Record<string, unknown> = {}
  for (const [key, item] of value) {
    Object.defineProperty(object, key, { value: plain(item), enumerable: true, configurable: true, writable: true })
  }
  return object
}
