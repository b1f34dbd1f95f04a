import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyIsAfter, listRequest, someKeyMayBeAfter } from './list-position.ts'
import { checkKey, compareKeys } from './object-key.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-', 'é', '\uffee', '\u{1f600}'), maxLength: 8 })

describe('compareKeys', () => {
  it('is the order of the UTF-8 bytes', () => {
    const anyText = fc.oneof(text, fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
    )
  })
})

describe('someKeyMayBeAfter', () => {
  it('is never false for a prefix of a key that is after the position', () => {
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (prefix, rest, position, isPrefix) => {
        const from = isPrefix ? { afterPrefix: position } : { afterKey: position }
        if (keyIsAfter(prefix + rest, from)) expect(someKeyMayBeAfter(prefix, from)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('checkKey', () => {
  it('says what is wrong and what to use', () => {
    expect(() => checkKey('a/../b')).toThrow(
      `The object key "a/../b" cannot be used: it has the component '..'. Use components of at most 255 bytes, joined by single slashes, 1024 bytes in all.`,
    )
  })
})

describe('listRequest', () => {
  it('refuses a continuation that does not come from a page', () => {
    expect(() => listRequest('', { continuation: 'x' })).toThrow('does not come from a page')
  })
})
