/**
 * Titan on Bedrock as its API is documented, over HTTP/2, asked by the SDK's own client; and the part of transformers.js that is used,
 * with a model that counts. Neither AWS nor a model of CLIP is here.
 */
import { createServer, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bedrockImageEmbedder, type BedrockImageEmbedderOptions } from './bedrock-image-embedder.ts'
import { unitVector } from './image-embedder.ts'
import { transformersImageEmbedder } from './transformers-image-embedder.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const missing = () => Promise.reject(Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' }))
const lengthOf = (vector: Float32Array | undefined) => Math.hypot(...(vector ?? []))

describe('Titan on Bedrock', () => {
  let server: Http2Server
  let asked: { path: string; signed: boolean; body: Record<string, unknown> }[]
  let refusal: { status: number; type: string } | undefined
  let answer: (body: Record<string, unknown>) => unknown

  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
    asked = []
    refusal = undefined
    answer = ({ embeddingConfig, inputText, inputImage }) => {
      const { outputEmbeddingLength: length } = embeddingConfig as { outputEmbeddingLength: number }
      const embedding = new Array<number>(length).fill(0)
      embedding[0] = 3
      embedding[1] = String(inputText ?? inputImage).length
      return { embedding, inputTextTokenCount: 3, message: null }
    }
    server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, unknown>
        const signed = String(request.headers.authorization).startsWith('AWS4-HMAC-SHA256')
        asked.push({ path: decodeURIComponent(request.url), signed, body })
        response.setHeader('content-type', 'application/json')
        if (refusal !== undefined) response.setHeader('x-amzn-errortype', refusal.type)
        response.statusCode = refusal?.status ?? 200
        response.end(JSON.stringify(refusal === undefined ? answer(body) : { message: 'no' }))
      })
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await new Promise((resolve) => void server.close(resolve))
  })

  const opened = (options: BedrockImageEmbedderOptions = {}) =>
    bedrockImageEmbedder({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ...options,
    })

  it('gives a vector of length 1 for each image and each text, in their order', async () => {
    await using embedder = opened({ dimension: 384 })
    expect(embedder.name).toBe('bedrock/amazon.titan-embed-image-v1#384')
    const images = [bytes(1, 2, 3), bytes(), bytes(1, 2, 3, 4, 5, 6), bytes(9), bytes(8, 8)]
    const vectors = await embedder.embedImages(images)
    const sent = images.map((image) => Buffer.from(image).toString('base64'))
    expect(vectors.map((vector) => Math.round(((vector[1] ?? 0) / (vector[0] ?? 1)) * 3))).toEqual(
      sent.map(({ length }) => length),
    )
    expect(new Set(asked.map(({ body }) => body['inputImage']))).toEqual(new Set(sent))
    for (const vector of vectors) expect([vector.length, lengthOf(vector)]).toEqual([384, expect.closeTo(1, 5)])
    expect(asked[0]).toMatchObject({ path: '/model/amazon.titan-embed-image-v1/invoke', signed: true })
    const [text] = await embedder.embedTexts(['a glacier'])
    expect(lengthOf(text)).toBeCloseTo(1, 5)
    expect(asked.at(-1)?.body).toEqual({ inputText: 'a glacier', embeddingConfig: { outputEmbeddingLength: 384 } })
    expect(await embedder.embedImages([])).toEqual([])
  })

  it.each([
    [403, 'AccessDeniedException', 'unauthorized', 'image-embedder-key'],
    [404, 'ResourceNotFoundException', 'not-found', 'image-embedder-model'],
    [429, 'ThrottlingException', 'unavailable', 'image-embedder-unavailable'],
    [503, 'ServiceUnavailableException', 'unavailable', 'image-embedder-unavailable'],
    [400, 'ValidationException', 'invalid', 'image-refused'],
  ])('whose answer is %i %s is %s', async (status, type, kind, code) => {
    refusal = { status, type }
    await using embedder = opened()
    await expect(embedder.embedTexts(['a'])).rejects.toMatchObject({ kind, code })
  })

  it('is refused an answer that is no vector, an image that is too large, and options that Titan does not have', async () => {
    await using embedder = opened()
    answer = () => ({ embedding: [1, 2], message: null })
    await expect(embedder.embedTexts(['a'])).rejects.toMatchObject({ code: 'image-embedder-answer' })
    answer = () => ({ message: 'The image has no pixels.' })
    await expect(embedder.embedTexts(['a'])).rejects.toMatchObject({ code: 'image-refused' })
    const before = asked.length
    await expect(embedder.embedImages([new Uint8Array(26 * 1024 * 1024)])).rejects.toMatchObject({
      code: 'image-refused',
    })
    expect(asked).toHaveLength(before)
    expect(() => opened({ dimension: 512 as 256 })).toThrow('dimension is 512: give 256, 384, 1024')
    await expect(bedrockImageEmbedder({}, missing).embedTexts(['a'])).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'image-embedder-missing',
    })
  })
})

describe('CLIP by transformers.js', () => {
  /** The first number of a vector is 3, the second the size of the image or the text. */
  function library() {
    const loads: string[] = []
    const disposed: string[] = []
    const batches: number[] = []
    const loading = <T>(name: string, made: T) => ({
      from_pretrained: async (model: string, options: object) => {
        loads.push(`${name} ${model} ${JSON.stringify(options)}`)
        return made
      },
    })
    const model = (name: string, field: string) =>
      Object.assign(
        async ({ sizes }: Record<string, unknown>) => {
          batches.push((sizes as number[]).length)
          const data = Float32Array.from((sizes as number[]).flatMap((size) => [3, size, 0, 0]))
          return { [field]: { dims: [(sizes as number[]).length, 4], data } }
        },
        { dispose: async () => disposed.push(name) },
      )
    const found = {
      AutoTokenizer: loading('tokenizer', (texts: string[]) => ({ sizes: texts.map(({ length }) => length) })),
      AutoProcessor: loading('processor', async (images: { size: number }[]) => ({
        sizes: images.map(({ size }) => size),
      })),
      CLIPTextModelWithProjection: loading('text', model('text', 'text_embeds')),
      CLIPVisionModelWithProjection: loading('vision', model('vision', 'image_embeds')),
      RawImage: {
        fromBlob: async (blob: Blob) => {
          if (blob.size === 0) throw new Error('no pixels')
          return { size: blob.size }
        },
      },
    }
    return { found, loads, disposed, batches }
  }
  const second = (vector: Float32Array) => Math.round(((vector[1] ?? 0) / (vector[0] ?? 1)) * 3)

  it('loads the half of the model that is asked for, once, and gives vectors of length 1 in order', async () => {
    const { found, loads, disposed, batches } = library()
    const embedder = transformersImageEmbedder({ model: 'a/clip', dimension: 4, dtype: 'q8' }, async () => found)
    const images = Array.from({ length: 10 }, (_, k) => new Uint8Array(k + 1))
    const vectors = await embedder.embedImages(images)
    expect(vectors.map(second)).toEqual(images.map(({ length }) => length))
    for (const vector of vectors) expect(lengthOf(vector)).toBeCloseTo(1, 5)
    expect(batches).toEqual([8, 2])
    expect(loads).toEqual(['processor a/clip {"dtype":"q8"}', 'vision a/clip {"dtype":"q8"}'])
    expect((await embedder.embedTexts(['ice', 'a glacier'])).map(second)).toEqual([3, 9])
    await embedder.embedTexts(['again'])
    expect(loads).toHaveLength(4)
    expect(embedder.name).toBe('transformers/a/clip#4')
    await embedder.close()
    expect(disposed).toEqual(['vision', 'text'])
  })

  it('is refused images that cannot be decoded, vectors of another dimension, and needs its package', async () => {
    const { found } = library()
    const code = (work: Promise<unknown>) =>
      work.then(
        () => 'ok',
        (error: { code?: string }) => error.code,
      )
    expect(await code(transformersImageEmbedder({ dimension: 4 }, async () => found).embedImages([bytes()]))).toBe(
      'image-refused',
    )
    expect(await code(transformersImageEmbedder({}, async () => found).embedTexts(['a']))).toBe('image-embedder-answer')
    expect(await code(transformersImageEmbedder({}, missing).embedTexts(['a']))).toBe('image-embedder-missing')
  })
})

it('a vector is of length 1, or refused', () => {
  expect([...unitVector([3, 4], 2, 'x')].map((one) => Math.round(one * 10))).toEqual([6, 8])
  for (const wrong of [[0, 0], [1], [1, Number.NaN], 'text', undefined, [1, Number.POSITIVE_INFINITY]])
    expect(() => unitVector(wrong, 2, 'x')).toThrow(expect.objectContaining({ code: 'image-embedder-answer' }) as Error)
})
