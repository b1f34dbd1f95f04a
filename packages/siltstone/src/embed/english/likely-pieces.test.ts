import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareKeys } from '../../ports/object-key.ts'
import { Fingerprints, perfectHash } from '../../format/perfect-hash.ts'
import { likelyPieces } from './likely-pieces.ts'
import { UNKNOWN, WordPiece } from './word-piece.ts'

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 5 })

it('has the pieces of a word, and what is behind each, where nothing is taken for a token that is none', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(letters),
      fc.uniqueArray(letters),
      fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 9 }),
      (starts, others, word) => {
        const tokens = [UNKNOWN, ...starts, ...others.map((text) => `##${text}`)]
        const whole = WordPiece.of(tokens.join('\n'))
        const known = new Set(tokens)
        const { pieces, rests } = likelyPieces(word, (text) => known.has(text))
        const ids = whole.split(word)
        if (word === '' || known.has(word)) expect(pieces).toEqual([])
        else if (ids[0] !== whole.unknownId) {
          const names = ids.map((id) => tokens[id] as string)
          expect(pieces).toEqual(expect.arrayContaining(names))
          let behind = word
          for (const name of names.slice(0, -1)) {
            behind = behind.slice(name.replace(/^##/, '').length)
            expect(rests).toContain(`##${behind}`)
          }
        }
      },
    ),
  )
})

it('reads little of a word of any length', () => {
  expect(likelyPieces('a'.repeat(100), (text) => text.length < 40).pieces.length).toBeLessThanOrEqual(12)
  expect(likelyPieces('a'.repeat(101), () => true).pieces).toEqual([])
})

it('takes few other texts for those of the set, and each of these for one', () => {
  const texts = Array.from({ length: 5_000 }, (_, i) => `text ${i}`).sort(compareKeys)
  const prints = new Fingerprints(perfectHash(texts))
  for (const text of texts) prints.add(text)
  const read = new Fingerprints(perfectHash(texts), prints.bytes.slice())
  expect(texts.every((text) => read.has(text))).toBe(true)
  const wrong = texts.filter((text) => read.has(`other ${text}`)).length
  expect(wrong).toBeLessThan((texts.length / 64) * 2)
})
