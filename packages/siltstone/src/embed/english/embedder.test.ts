import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemModels } from '../../host/model-host.ts'
import { EnglishEmbedder, loadEnglishModel } from './index.ts'

const packageDirectory = fileURLToPath(new URL('../../../../embedder-english', import.meta.url))
interface Check {
  text: string
  tokenIds: number[]
  vector: number[]
}
const checks = JSON.parse(readFileSync(join(packageDirectory, 'checks.json'), 'utf8')) as Check[]
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0)

describe('EnglishEmbedder', () => {
  it('reproduces the checks of the model: ids exactly, vectors to 1e-5', async () => {
    const model = await loadEnglishModel(systemModels.readPackageFiles)
    const vectors = await new EnglishEmbedder({ models: systemModels }).embed(checks.map((check) => check.text))
    expect(checks).toHaveLength(12)
    for (const [i, check] of checks.entries()) {
      expect([...model.tokenizer.ids.subarray(0, model.tokenizer.encode(check.text))]).toEqual(check.tokenIds)
      const vector = vectors[i] as Float32Array
      expect(vector).toHaveLength(check.vector.length)
      expect(Math.max(...check.vector.map((x, d) => Math.abs(x - (vector[d] as number))))).toBeLessThan(1e-5)
    }
  })

  it('ranks by meaning, not by words', async () => {
    const [question, close, far] = await new EnglishEmbedder({ models: systemModels }).embed([
      'How do I retry a failed network request?',
      'The client repeats requests that time out, with exponential back-off.',
      'How do I paint a wooden garden fence?',
    ])
    const [a, b, c] = [question, close, far] as [Float32Array, Float32Array, Float32Array]
    expect(cosine(a, b)).toBeGreaterThan(cosine(a, c) + 0.2)
  })

  it('gives unit vectors, zero without a token, and the same alone as in a batch', async () => {
    const embedder = new EnglishEmbedder({ models: systemModels })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), async (texts) => {
        const together = await embedder.embed(texts)
        for (const [i, text] of texts.entries()) {
          const vector = together[i] as Float32Array
          const norm = Math.hypot(...vector)
          expect(norm === 0 || Math.abs(norm - 1) < 1e-6).toBe(true)
          expect((await embedder.embed([text]))[0]).toEqual(vector)
        }
      }),
      { numRuns: 50 },
    )
    expect(Math.hypot(...((await embedder.embed([' ']))[0] as Float32Array))).toBe(0)
    expect(await embedder.embed([])).toEqual([])
  })

  it('counts calls, texts, tokens and failures', async () => {
    const embedder = new EnglishEmbedder({ models: systemModels })
    await embedder.embed(['a cat sits', 'on the mat'])
    expect(embedder.usage).toEqual({ calls: 1, retries: 0, failures: 0, texts: 2, tokens: 6, costUsd: 0 })
    const bad = [1] as unknown as string[]
    await expect(embedder.embed(bad)).rejects.toMatchObject({ kind: 'invalid', code: 'bad-text', field: 'texts[0]' })
    expect(embedder.usage.failures).toBe(1)
  })

  it('stops between slices when it is aborted, and lets others run meanwhile', async () => {
    const embedder = new EnglishEmbedder({ models: systemModels })
    await embedder.embed(['load'])
    const controller = new AbortController()
    setImmediate(() => controller.abort(new Error('enough')))
    await expect(embedder.embed(Array(5000).fill('text'), { signal: controller.signal })).rejects.toThrow('enough')
  })

  it('names a damaged or missing file, and tries again at the next call', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'siltstone-model-'))
    try {
      const embedder = new EnglishEmbedder({ models: systemModels, directory })
      await expect(embedder.embed(['x'])).rejects.toMatchObject({ code: 'package-file-unreadable' })
      for (const file of ['vocab.txt', 'vectors.i8', 'scales.f32'])
        cpSync(join(packageDirectory, file), join(directory, file))
      truncateSync(join(directory, 'vectors.i8'), 1000)
      await expect(embedder.embed(['x'])).rejects.toMatchObject({ kind: 'corrupt', code: 'embedder-files' })
      cpSync(join(packageDirectory, 'vectors.i8'), join(directory, 'vectors.i8'))
      expect(await embedder.embed(['x'])).toEqual(await new EnglishEmbedder({ models: systemModels }).embed(['x']))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
