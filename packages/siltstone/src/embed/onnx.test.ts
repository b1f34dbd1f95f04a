import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadOnnxModel } from '../host/onnx-model.ts'
import { OnnxEmbedder } from './onnx.ts'

/** A stand-in for `@huggingface/transformers`: the vector of a text is its length and its first character. */
function transformers(missing = false) {
  const env = { allowRemoteModels: true, allowLocalModels: false }
  const calls: unknown[][] = []
  let disposed = 0
  const pipeline = async (...args: unknown[]) => {
    calls.push(args)
    if (missing) throw new Error('file was not found locally at "config.json"')
    return async (texts: string[], options: object) => {
      calls.push([texts, options])
      if (texts.includes('fail')) throw new Error('bad graph')
      const rows = texts.includes('wrong') ? [1] : texts.map((text) => [text.length, text.charCodeAt(0)])
      return { dims: [rows.length, 2], data: Float32Array.from(rows.flat()), dispose: () => disposed++ }
    }
  }
  return { env, calls, disposed: () => disposed, load: async () => ({ env, pipeline }) }
}

describe('OnnxEmbedder', () => {
  it('loads from a directory, never from a hub, and embeds in batches', async () => {
    const { env, calls, disposed, load } = transformers()
    const embedder = new OnnxEmbedder({ directory: 'models/tiny', batchTexts: 2, dtype: 'q8' }, {}, (o) =>
      loadOnnxModel(o, load),
    )
    expect(embedder).toMatchObject({ model: 'tiny', dimension: undefined })
    expect(await embedder.embed(['a', 'bb', 'ccc'])).toEqual([
      Float32Array.of(1, 97),
      Float32Array.of(2, 98),
      Float32Array.of(3, 99),
    ])
    expect(env).toEqual({ allowRemoteModels: false, allowLocalModels: true })
    const how = { pooling: 'mean', normalize: true }
    expect(calls).toEqual([
      ['feature-extraction', resolve('models/tiny'), { dtype: 'q8', local_files_only: true }],
      [['a', 'bb'], how],
      [['ccc'], how],
    ])
    expect(disposed()).toBe(2)
    expect(embedder.dimension).toBe(2)
    expect(embedder.usage).toMatchObject({ calls: 2, texts: 3, costUsd: 0 })
  })

  it('says what is missing or wrong', async () => {
    const absent = new OnnxEmbedder({ directory: '/none' }, {}, (o) => loadOnnxModel(o, transformers(true).load))
    await expect(absent.embed(['x'])).rejects.toMatchObject({
      code: 'embedding-model-missing',
      message: expect.stringContaining('onnx/model.onnx') as string,
    })
    const present = new OnnxEmbedder({ directory: '/tiny' }, {}, (o) => loadOnnxModel(o, transformers().load))
    await expect(present.embed(['fail'])).rejects.toMatchObject({ code: 'embedding-model-failed' })
    await expect(present.embed(['wrong', 'x'])).rejects.toMatchObject({ code: 'embedding-answer' })
    expect(present.usage.failures).toBe(2)
  })
})
