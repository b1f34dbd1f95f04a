import { gunzipSync, gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentId, decodeStoredEmbedding, encodeStoredEmbedding, sha256Hex } from './stored-embedding.ts'

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true })
const decode = (bytes: Uint8Array) => decodeStoredEmbedding(bytes, 'embeddings/a.json.gz', 'a')
const json = (value: unknown) => gzipSync(JSON.stringify(value))

describe('stored embeddings', () => {
  it('reads back what was written, every float32 exactly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(float32, { minLength: 1, maxLength: 50 }), fc.string(), async (numbers, model) => {
        const stored = {
          id: 'a',
          embedding: Float32Array.from(numbers, (x) => x + 0),
          model,
          textSha256: sha256Hex(model),
        }
        expect(await decode(await encodeStoredEmbedding(stored))).toEqual(stored)
      }),
      { numRuns: 100 },
    )
  })

  it('is the documented JSON, with short numbers', async () => {
    const stored = { id: 'a', embedding: Float32Array.of(0.1, -2, 1 / 3), model: 'm', textSha256: undefined }
    const text = gunzipSync(await encodeStoredEmbedding(stored)).toString()
    expect(text).toBe('{"id":"a","embedding":[0.1,-2,0.33333334],"model":"m","dimension":3}')
  })

  it('reads what other writers leave: plain, and with id and embedding alone', async () => {
    const plain = new TextEncoder().encode('{"id": "a", "embedding": [0.5, 1]}')
    const expected = { id: 'a', embedding: Float32Array.of(0.5, 1), model: undefined, textSha256: undefined }
    expect(await decode(plain)).toEqual(expected)
    expect(await decode(json({ embedding: [0.5, 1] }))).toEqual(expected)
  })

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a cut file', json({ id: 'a', embedding: [1] }).subarray(0, 20)],
    ['no JSON', gzipSync('{"embedding": [1')],
    ['null', json(null)],
    ['no embedding', json({ id: 'a' })],
    ['an empty embedding', json({ embedding: [] })],
    ['strings', json({ embedding: ['1'] })],
    ['a number beyond float32', json({ embedding: [1e300] })],
    ['another id', json({ id: 'b', embedding: [1] })],
    ['another dimension', json({ embedding: [1, 2], dimension: 3 })],
    ['a bomb', gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('calls %s damaged, by the name of the key', async (_, bytes) => {
    await expect(decode(bytes)).rejects.toMatchObject({
      kind: 'corrupt',
      code: 'embedding-damaged',
      key: 'embeddings/a.json.gz',
    })
  })

  it('never takes mutilated bytes for something else than an embedding or damage', async () => {
    const good = await encodeStoredEmbedding({
      id: 'a',
      embedding: Float32Array.of(1, 2),
      model: 'm',
      textSha256: undefined,
    })
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, byte) => {
        const bytes = Uint8Array.from(good)
        bytes[at] = byte
        const outcome = await decode(bytes).catch((error: unknown) => error)
        expect(outcome instanceof Error ? (outcome as Error & { code: string }).code : 'read').toMatch(
          /^(embedding-damaged|read)$/,
        )
      }),
      { numRuns: 100 },
    )
  })

  it('refuses to write what it would not read', async () => {
    for (const embedding of [Float32Array.of(), Float32Array.of(Number.NaN)]) {
      const stored = { id: 'a', embedding, model: 'm', textSha256: undefined }
      await expect(encodeStoredEmbedding(stored)).rejects.toMatchObject({ kind: 'invalid', field: 'embedding' })
    }
  })

  it('keeps model and text apart in the id of the cache', () => {
    expect(contentId('model', 'text')).toBe(sha256Hex('model\0text'))
    expect(contentId('a', 'bc')).not.toBe(contentId('ab', 'c'))
  })
})
