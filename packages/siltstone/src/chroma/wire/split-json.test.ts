import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitObject } from './split-json.ts'

describe('splitObject', () => {
  it('splits every object like JSON.parse', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 })
    fc.assert(
      fc.property(object, fc.constantFrom(0, 2), (value, indent) => {
        const cuts = splitObject(JSON.stringify(value, null, indent))
        const parsed = [...(cuts ?? [])].map(([key, text]) => [key, JSON.parse(text) as unknown])
        expect(Object.fromEntries(parsed)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('finds no object where JSON.parse fails, or leaves the error inside a field', () => {
    const text = fc.array(fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'a', '1', ' ', '"k":'), {
      maxLength: 14,
    })
    fc.assert(
      fc.property(text, (pieces) => {
        const joined = pieces.join('')
        const whole = tryParse(joined)
        const cuts = splitObject(joined)
        const inside = cuts === undefined ? undefined : [...cuts.values()].map(tryParse)
        const isObject = typeof whole === 'object' && whole !== null && !Array.isArray(whole)
        expect(inside !== undefined && !inside.includes(undefined)).toBe(isObject)
      }),
      { numRuns: 2000 },
    )
  })

  it('survives deep nesting', () => {
    const deep = '['.repeat(1e6) + ']'.repeat(1e6)
    expect(splitObject(`{"a":${deep},"b":1}`)?.get('b')).toBe('1')
  })

  it('lets the last of a repeated key win', () => {
    expect(splitObject('{"a":1,"a":2}')).toEqual(new Map([['a', '2']]))
  })
})

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
