import { describe, expect, it } from 'vitest'
import { connectBedrock } from '../host/bedrock.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { BedrockEmbedder, type BedrockOptions } from './bedrock.ts'

interface Invocation {
  modelId: string
  body: string
  contentType: string
  accept: string
}
type Outcome = (text: string) => unknown

/** As the AWS SDK fails: the service's error name, its status, and the response. */
const failure =
  (name: string, status?: number, headers: Record<string, string> = {}) =>
  () => {
    const metadata = status === undefined ? {} : { $metadata: { httpStatusCode: status }, $response: { headers } }
    throw Object.assign(new Error(`${name} said`), { name }, metadata)
  }
const titan = (text: string) => ({ embedding: Array(256).fill(text.length), inputTextTokenCount: 3 })

/** A stand-in for `@aws-sdk/client-bedrock-runtime` whose first requests have the given outcomes. */
function bedrock(outcomes: Outcome[], options: BedrockOptions = {}) {
  const configs: object[] = []
  const sent: Invocation[] = []
  const loads: string[] = []
  class BedrockRuntimeClient {
    constructor(config: object) {
      configs.push(config)
    }
    async send({ input }: { input: Invocation }, { abortSignal }: { abortSignal: AbortSignal }) {
      abortSignal.throwIfAborted()
      const outcome = outcomes[sent.push(input) - 1] ?? titan
      const answer = await outcome((JSON.parse(input.body) as { inputText: string }).inputText)
      return { body: new TextEncoder().encode(typeof answer === 'string' ? answer : JSON.stringify(answer)) }
    }
  }
  class InvokeModelCommand {
    readonly input: Invocation
    constructor(input: Invocation) {
      this.input = input
    }
  }
  const load = async (name: string) => {
    loads.push(name)
    return { BedrockRuntimeClient, InvokeModelCommand }
  }
  const clock = ManualClock.skippingSleeps()
  const embedder = new BedrockEmbedder(
    { dimensions: 256, concurrency: 1, ...options },
    { clock, random: { next: () => 0.5 } },
    (connection) => connectBedrock(connection, load),
  )
  return { embedder, clock, configs, sent, loads }
}

describe('BedrockEmbedder', () => {
  it('asks Titan for one text at a time, in order, with one client', async () => {
    const { embedder, sent, configs, loads } = bedrock([], { region: 'eu-west-1', concurrency: 4 })
    const vectors = await embedder.embed(['a', 'bbb', 'cc'])
    expect(vectors.map((vector) => [vector.length, vector[0]])).toEqual([
      [256, 1],
      [256, 3],
      [256, 2],
    ])
    await embedder.embed(['again'])
    expect(loads).toEqual(['@aws-sdk/client-bedrock-runtime'])
    expect(configs).toEqual([{ region: 'eu-west-1', maxAttempts: 1 }])
    expect(sent[0]).toEqual({
      modelId: 'amazon.titan-embed-text-v2:0',
      body: '{"inputText":"a","dimensions":256,"normalize":true}',
      contentType: 'application/json',
      accept: 'application/json',
    })
    expect(embedder.usage).toMatchObject({ calls: 4, texts: 4, tokens: 12 })
    expect(embedder.usage.costUsd).toBeCloseTo((12 * 0.02) / 1e6, 12)
  })

  it('names its vector space by model and dimension', () => {
    expect(bedrock([]).embedder).toMatchObject({ model: 'amazon.titan-embed-text-v2:0#256', dimension: 256 })
    const full = bedrock([], { dimensions: 1024 }).embedder
    expect(full).toMatchObject({ model: 'amazon.titan-embed-text-v2:0', dimension: 1024 })
  })

  it('repeats throttling, faults of the service and of the network', async () => {
    const { embedder, clock } = bedrock([
      failure('ThrottlingException', 429, { 'retry-after': '4' }),
      failure('ServiceUnavailableException', 503),
      failure('ModelErrorException', 424),
      failure('ECONNRESET'),
    ])
    expect(await embedder.embed(['x'])).toHaveLength(1)
    expect(clock.sleptMs).toEqual([4250, 500, 1000, 2000])
    expect(embedder.usage).toMatchObject({ calls: 5, retries: 4, texts: 1 })
  })

  it.each([
    ['ValidationException', failure('ValidationException', 400), { kind: 'invalid', code: 'embedding-refused' }],
    ['AccessDeniedException', failure('AccessDeniedException', 403), { kind: 'forbidden' }],
    ['ResourceNotFoundException', failure('ResourceNotFoundException', 404), { code: 'embedding-model-missing' }],
    ['no credentials', failure('CredentialsProviderError'), { kind: 'unauthorized' }],
    ['no region', () => Promise.reject(new Error('Region is missing')), { kind: 'invalid', field: 'region' }],
    ['another model', () => ({ results: [] }), { kind: 'unsupported', code: 'embedding-answer' }],
    ['another dimension', () => ({ embedding: [1, 2] }), { code: 'embedding-answer' }],
    ['no JSON', () => 'oops', { code: 'embedding-answer' }],
    ['null', () => null, { code: 'embedding-answer' }],
  ] satisfies [string, Outcome, object][])('does not repeat %s', async (_, outcome, expected) => {
    const { embedder, sent } = bedrock([outcome])
    await expect(embedder.embed(['x'])).rejects.toMatchObject(expected)
    expect(sent).toHaveLength(1)
    expect(embedder.usage.failures).toBe(1)
  })

  it('tries to load the SDK again after it was missing', async () => {
    let installed = false
    const embedder = new BedrockEmbedder(
      { dimensions: 256 },
      { clock: ManualClock.skippingSleeps(), random: { next: () => 0 } },
      async () => {
        if (!installed) throw new Error('missing')
        return async () => JSON.stringify(titan('x'))
      },
    )
    await expect(embedder.embed(['x'])).rejects.toThrow('missing')
    installed = true
    expect(await embedder.embed(['x'])).toHaveLength(1)
  })
})
