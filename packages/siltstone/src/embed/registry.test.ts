import { describe, expect, it } from 'vitest'
import { systemModels } from '../host/model-host.ts'
import type { HttpClient } from '../ports/http.ts'
import { MemoryObjectStore } from '../drivers/memory/memory-object-store.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { CachedEmbedder } from './cached-embedder.ts'
import { type EmbedderConfig, parseEmbedderConfig } from './config.ts'
import { EnglishEmbedder } from './english/index.ts'
import { embedderFromConfig } from './from-config.ts'
import { EmbedderRegistry, type EmbedderRegistryOptions } from './registry.ts'

const base = { clock: ManualClock.skippingSleeps(), random: { next: () => 0 }, models: systemModels }
const known = (name: string, config: unknown = {}) => ({ type: 'known', name, config })

function setUp(options: EmbedderRegistryOptions = {}, variables: Record<string, string> = {}) {
  const requests: { url: string; headers: Record<string, string>; body: unknown }[] = []
  const http: HttpClient = async (url, init) => {
    requests.push({ url, headers: init.headers, body: JSON.parse(init.body ?? '') })
    return { status: 200, headers: { get: () => null }, text: async () => '{"data":[{"index":0,"embedding":[1,2,3]}]}' }
  }
  const registry = new EmbedderRegistry({ ...base, http, variables }, options)
  const choose = (embeddingFunction: unknown, dimension: number | null = null) =>
    registry.forCollection({ embeddingFunction, dimension })
  return { registry, choose, requests }
}

describe('EmbedderRegistry', () => {
  it.each([
    ['none', null],
    ['absent', undefined],
    ['legacy', { type: 'legacy' }],
    ['unknown', { type: 'unknown' }],
    ['siltstone-english', known('siltstone-english', { model: 'siltstone-english-1' })],
    ["Chroma's default", known('default')],
  ])('embeds with English where the function is %s', async (_, embeddingFunction) => {
    const { choose } = setUp()
    for (const dimension of [null, 256]) {
      expect((await choose(embeddingFunction, dimension).embed(['x']))[0]).toHaveLength(256)
    }
    expect(() => choose(embeddingFunction, 384)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'embedder-dimension', field: 'embeddings' }),
    )
  })

  it.each([
    ['cohere', known('cohere', { model_name: 'x' }), 'embedding-function-unsupported'],
    ['constructor', known('constructor'), 'embedding-function-unsupported'],
    ['another English', known('siltstone-english', { model: 'siltstone-english-9' }), 'embedding-function-config'],
    ['openai without a model', known('openai'), 'embedding-function-config'],
    [
      'openai at another server',
      known('openai', { model_name: 'm', api_base: 'http://evil' }),
      'embedding-function-config',
    ],
    ['azure', known('openai', { model_name: 'm', api_type: 'azure' }), 'embedding-function-config'],
    ['bad dimensions', known('openai', { model_name: 'm', dimensions: -1 }), 'embedding-function-config'],
    ['titan v1', known('amazon_bedrock', { model_name: 'amazon.titan-embed-text-v1' }), 'embedding-function-config'],
  ])('refuses %s with a remedy', (_, embeddingFunction, code) => {
    const { choose } = setUp()
    expect(() => choose(embeddingFunction)).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        code,
        message: expect.stringMatching(/[Ss]end embeddings/) as string,
      }),
    )
  })

  it('embeds with the collection’s OpenAI model at the operator’s server and key, and follows nothing else', async () => {
    const { choose, requests } = setUp(
      { openai: { baseUrl: 'http://local/v1' } },
      { OPENAI_API_KEY: 'sk-1', SECRET: 'x' },
    )
    const config = {
      model_name: 'text-embedding-3-small',
      dimensions: 3,
      api_base: 'http://local/v1/',
      api_key_env_var: 'SECRET',
      default_headers: { 'x-evil': '1' },
    }
    const embedder = choose(known('openai', config), 3)
    expect(choose(known('openai', config))).toBe(embedder)
    expect(await embedder.embed(['x'])).toEqual([Float32Array.of(1, 2, 3)])
    expect(requests).toEqual([
      {
        url: 'http://local/v1/embeddings',
        headers: { authorization: 'Bearer sk-1', 'content-type': 'application/json' },
        body: { model: 'text-embedding-3-small', input: ['x'], encoding_format: 'float', dimensions: 3 },
      },
    ])
    expect(() => choose(known('openai', config), 1536)).toThrow(/1536 dimensions/)
    expect(choose(known('openai', { model_name: 'text-embedding-ada-002', dimensions: 3 })).dimension).toBe(1536)
  })

  it('knows Titan, and what the operator configured for other names', () => {
    const functions: Record<string, EmbedderConfig> = {
      cohere: { provider: 'openai', model: 'stand-in' },
      default: { provider: 'onnx', directory: '/models/all-MiniLM-L6-v2' },
    }
    const { choose } = setUp({ functions })
    const titan = choose(known('amazon_bedrock', { model_name: 'amazon.titan-embed-text-v2:0' }), 1024)
    expect(titan).toMatchObject({ name: 'bedrock', dimension: 1024 })
    expect(choose(known('cohere'))).toMatchObject({ name: 'openai', model: 'stand-in' })
    expect(choose(known('default'), 384)).toMatchObject({ name: 'onnx', model: 'all-MiniLM-L6-v2' })
    expect(choose(null)).toMatchObject({ name: 'siltstone-english' })
  })

  it('lets only MiniLM stand in for Chroma’s default', () => {
    const onnx = (directory: string) => setUp({ default: { provider: 'onnx', directory } })
    expect(onnx('/m/all-MiniLM-L6-v2').choose(known('default'), 384).name).toBe('onnx')
    expect(onnx('/m/bge-small').choose(known('default')).name).toBe('siltstone-english')
    expect(() => onnx('/m/bge-small').choose(known('default'), 384)).toThrow(/384 dimensions/)
    expect(onnx('/m/bge-small').choose(null).name).toBe('onnx')
  })
})

describe('embedderFromConfig', () => {
  const store = new MemoryObjectStore({ clock: base.clock })

  it('puts the cache in front of every provider but English, unless told otherwise', () => {
    const kind = (config: EmbedderConfig) => embedderFromConfig(config, { ...base, store }) instanceof CachedEmbedder
    expect(kind({ provider: 'english' })).toBe(false)
    expect(kind({ provider: 'english', cache: true })).toBe(true)
    expect(kind({ provider: 'openai' })).toBe(true)
    expect(kind({ provider: 'openai', cache: false })).toBe(false)
    expect(kind({ provider: 'bedrock' })).toBe(true)
    expect(kind({ provider: 'onnx', directory: '/m' })).toBe(true)
    expect(embedderFromConfig({ provider: 'english' }, base)).toBeInstanceOf(EnglishEmbedder)
  })

  it('reads a configuration strictly and never quotes a value', () => {
    expect(parseEmbedderConfig({ provider: 'openai', model: 'm', requestsPerMinute: 5 })).toEqual({
      provider: 'openai',
      model: 'm',
      requestsPerMinute: 5,
    })
    for (const [value, field] of [
      [{ provider: 'nobody' }, 'provider'],
      [{ provider: 'openai', apiKey: 7, model: 'sk-secret' }, 'apiKey'],
      [{ provider: 'onnx' }, 'directory'],
      [{ provider: 'bedrock', region: 'evil.example/' }, 'region'],
      [{ provider: 'english', modle: 'sk-secret' }, 'embedder'],
      ['sk-secret', 'embedder'],
    ] as const) {
      expect(() => parseEmbedderConfig(value)).toThrow(expect.objectContaining({ code: 'embedder-config', field }))
      expect(() => parseEmbedderConfig(value)).not.toThrow(/sk-secret/)
    }
  })
})
