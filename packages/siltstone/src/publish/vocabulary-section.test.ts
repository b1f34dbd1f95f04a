import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { basicTokens } from '../embed/english/basic-tokens.ts'
import { PublishedVocabulary } from '../embed/english/published-vocabulary.ts'
import { MAX_TOKENS } from '../embed/english/tokenizer.ts'
import { UNKNOWN, WordPiece } from '../embed/english/word-piece.ts'
import { slotOf } from '../format/perfect-hash.ts'
import { VOCABULARY } from '../format/published.ts'
import { Bucket } from '../format/segment/testing.ts'
import { SectionSource } from '../format/segment/source.ts'
import { compareKeys } from '../ports/object-key.ts'
import { vocabularySection } from './vocabulary-section.ts'

function published(tokens: readonly string[]) {
  const { bytes, directory, params, hash } = vocabularySection(tokens)
  const bucket = new Bucket()
  bucket.objects.set('vocabulary', bytes)
  const files = [{ key: 'vocabulary', sizeBytes: bytes.length, crc32: '' }]
  const section = {
    ...VOCABULARY,
    version: 3,
    file: 0,
    offset: 0,
    length: bytes.length,
    directory,
    params: { ...params, unknown: slotOf(UNKNOWN, hash) },
  }
  const vocabulary = new PublishedVocabulary(new SectionSource('v', files, bucket.read, { gapBytes: 0 }), section)
  return { bucket, bytes, vocabulary, hash }
}

/** Few letters, so that tokens are beginnings of others and words have many pieces. */
const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é', '雪', '😀'), minLength: 1, maxLength: 6 })
const tokensOf = (starts: readonly string[], continuations: readonly string[]) =>
  [...new Set(['!', UNKNOWN, ...starts, ...continuations.map((text) => `##${text}`)])].sort(compareKeys)

describe('a published vocabulary', () => {
  it('cuts texts as the whole one does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(letters, { maxLength: 400, size: 'max' }),
        fc.uniqueArray(letters, { maxLength: 400, size: 'max' }),
        fc.array(fc.oneof(letters, fc.string({ unit: 'grapheme' }), fc.constant('c'.repeat(150))), { maxLength: 8 }),
        async (starts, continuations, words) => {
          const tokens = tokensOf(starts, continuations)
          const whole = WordPiece.of(tokens.join('\n'))
          const text = words.join(' ')
          const { vocabulary, hash } = published(tokens)
          const told: number[] = []
          const encoded = await vocabulary.encode([text, ''], (ids) => told.push(...ids))
          const slots = basicTokens(text).flatMap((word) =>
            whole.split(word).map((id) => slotOf(tokens[id] as string, hash)),
          )
          expect(encoded).toEqual([slots.slice(0, MAX_TOKENS), []])
          // Of words in up to three pieces, all are told before they are known.
          for (const word of basicTokens(text)) {
            const ids = whole.split(word)
            if (ids.length <= 3 && ids[0] !== whole.unknownId)
              expect(told).toEqual(expect.arrayContaining(ids.map((id) => slotOf(tokens[id] as string, hash))))
          }
        },
      ),
    )
  })

  it('reads a chunk for a word that is a token, in one round, and keeps it', async () => {
    const words = Array.from({ length: 2_000 }, (_, i) => `word${String(i).padStart(4, '0')}`)
    const { bucket, vocabulary } = published(tokensOf(words, ['x']))
    await vocabulary.prepare()
    bucket.reads = []
    await vocabulary.encode(['word0004 word0003 word1500'])
    expect(bucket.reads).toHaveLength(2)
    expect(bucket.reads.every(({ length }) => length < 1_000)).toBe(true)
    await vocabulary.encode(['word0003'])
    expect(bucket.reads).toHaveLength(2)
  })

  it('reads what a word in pieces needs in one round, where fingerprints are right', async () => {
    const words = Array.from({ length: 2_000 }, (_, i) => `word${String(i).padStart(4, '0')}`)
    const { vocabulary, hash } = published(tokensOf(['lib', ...words], ['png', ...words]))
    await vocabulary.prepare()
    let told: number[] | undefined
    await vocabulary.encode(['libpng libword1234'], (ids) => {
      told ??= ids
    })
    const slots = ['lib', '##png', '##word1234'].map((token) => slotOf(token, hash))
    expect(told).toEqual(expect.arrayContaining(slots))
  })

  it('notices damage, and reads again after a failure', async () => {
    const { bucket, bytes, vocabulary } = published(tokensOf(['a', 'ab'], ['b']))
    bucket.objects.set('vocabulary', bytes.subarray(0, 3))
    await expect(vocabulary.encode(['ab'])).rejects.toMatchObject({ kind: 'corrupt' })
    bucket.objects.set('vocabulary', bytes)
    await vocabulary.prepare()
    bucket.objects.set(
      'vocabulary',
      bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
    )
    await expect(vocabulary.encode(['ab'])).rejects.toMatchObject({ kind: 'corrupt', code: 'section-damaged' })
    bucket.objects.set('vocabulary', bytes)
    expect(await vocabulary.encode(['ab'])).toHaveLength(1)
  })
})
