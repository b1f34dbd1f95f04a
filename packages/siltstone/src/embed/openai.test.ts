import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { systemHttp } from '../ports/http.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { Recorder } from '../testing/recorder.ts'
import { OpenAiEmbedder, type OpenAiOptions } from './openai.ts'

interface EmbeddingsRequest {
  model: string
  input: string[]
  encoding_format: string
  dimensions?: number
}
type Handler = (request: EmbeddingsRequest, response: ServerResponse, message: IncomingMessage) => void

const vectorOf = (text: string) => [text.length, text.charCodeAt(0), 0.1]
const good: Handler = (request, response) => {
  const data = request.input.map((text, index) => {
    const bytes = Buffer.from(Float32Array.from(vectorOf(text)).buffer)
    return { index, embedding: request.encoding_format === 'base64' ? bytes.toString('base64') : vectorOf(text) }
  })
  response.end(JSON.stringify({ data: data.reverse(), usage: { prompt_tokens: 10 * request.input.length } }))
}
const status =
  (code: number, body: string, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    response.writeHead(code, headers).end(body)

const closers: (() => void)[] = []
afterEach(() => closers.splice(0).forEach((close) => close()))

/** Answers the first requests with `faults`, in order, the rest well. */
async function provider(faults: Handler[], options: OpenAiOptions = {}) {
  const requests: EmbeddingsRequest[] = []
  const messages: IncomingMessage[] = []
  const server = createServer((message, response) => {
    let body = ''
    message.on('data', (chunk: Buffer) => (body += chunk.toString()))
    message.on('end', () => {
      const request = JSON.parse(body) as EmbeddingsRequest
      messages.push(message)
      requests.push(request)
      ;(faults[requests.length - 1] ?? good)(request, response, message)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`
  const clock = ManualClock.skippingSleeps()
  const recorder = new Recorder()
  const embedder = new OpenAiEmbedder(
    { model: 'test-model', apiKey: 'sk-secret-0123456789', baseUrl, ...options },
    { http: systemHttp, clock, random: { next: () => 0.5 }, log: recorder, metrics: recorder },
  )
  return { embedder, clock, recorder, requests, messages }
}

describe('OpenAiEmbedder', () => {
  it('sends model, texts and key, and puts the answers in order', async () => {
    const { embedder, requests, messages, recorder } = await provider([], { dollarsPerMillionTokens: 5 })
    expect(embedder.dimension).toBeUndefined()
    const vectors = await embedder.embed(['one', 'three'])
    expect(vectors).toEqual([Float32Array.from(vectorOf('one')), Float32Array.from(vectorOf('three'))])
    expect(requests).toEqual([{ model: 'test-model', input: ['one', 'three'], encoding_format: 'float' }])
    expect(messages[0]?.url).toBe('/v1/embeddings')
    expect(messages[0]?.headers.authorization).toBe('Bearer sk-secret-0123456789')
    expect(embedder.dimension).toBe(3)
    expect(embedder.usage).toEqual({ calls: 1, retries: 0, failures: 0, texts: 2, tokens: 20, costUsd: 1e-4 })
    expect(recorder.counters.get('embedding_cost_usd')).toBeCloseTo(1e-4)
  })

  it('gives the same vectors whatever the batches, the concurrency and the encoding', async () => {
    const { embedder } = await provider([], {
      maxBatchTexts: 3,
      maxBatchTokens: 12,
      concurrency: 3,
      encodingFormat: 'base64',
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ minLength: 1, maxLength: 50 }), { maxLength: 12 }), async (texts) => {
        expect(await embedder.embed(texts)).toEqual(texts.map((text) => Float32Array.from(vectorOf(text))))
      }),
      { numRuns: 20 },
    )
  })

  it('cuts batches by count and by size', async () => {
    const { embedder, requests } = await provider([], { maxBatchTexts: 2, maxBatchTokens: 10, concurrency: 1 })
    await embedder.embed(['a', 'b', 'c', 'x'.repeat(60), 'd', 'y'.repeat(27)])
    expect(requests.map((request) => request.input.map((text) => text.slice(0, 1)))).toEqual([
      ['a', 'b'],
      ['c'],
      ['x'],
      ['d', 'y'],
    ])
  })

  it('waits as long as Retry-After says, in seconds, milliseconds or as a date', async () => {
    const date = new Date(Date.UTC(2026, 0, 1) + 60_000).toUTCString()
    const { embedder, clock, recorder } = await provider([
      status(429, '{"error":{"message":"slow down"}}', { 'retry-after': '7' }),
      status(503, 'busy', { 'retry-after-ms': '1500' }),
      status(500, '', { 'retry-after': date }),
    ])
    await embedder.embed(['x'])
    expect(clock.sleptMs).toEqual([7250, 1750, 60_000 - 9000 + 250])
    expect(embedder.usage).toMatchObject({ calls: 4, retries: 3, failures: 0, texts: 1 })
    expect(recorder.eventsNamed('embedding_retried').map((fields) => fields['error'])).toEqual([
      'embedding-rate-limited',
      'embedding-unavailable',
      'embedding-unavailable',
    ])
  })

  it('backs off exponentially with jitter and gives up after its attempts', async () => {
    const { embedder, clock } = await provider(Array(9).fill(status(500, 'oops')), { retry: { maxAttempts: 4 } })
    await expect(embedder.embed(['x'])).rejects.toMatchObject({ kind: 'unavailable', code: 'embedding-unavailable' })
    expect(clock.sleptMs).toEqual([250, 500, 1000])
    expect(embedder.usage).toMatchObject({ calls: 4, failures: 1, texts: 0 })
  })

  it('does not wait longer than it may: the caller learns how long', async () => {
    const { embedder, clock } = await provider([status(429, '', { 'retry-after': '3600' })])
    await expect(embedder.embed(['x'])).rejects.toMatchObject({ kind: 'unavailable', retryAfterMs: 3_600_000 })
    expect(clock.sleptMs).toEqual([])
  })

  it('repeats a slow, a broken and a cut answer', async () => {
    let asked = () => {}
    const waiting = new Promise<void>((resolve) => (asked = resolve))
    const { embedder, clock, recorder } = await provider([
      () => asked(),
      (_, __, message) => message.socket.destroy(),
      (_, response) =>
        response.writeHead(200, { 'content-length': '100' }).write('{"data":[', () => response.destroy()),
      (_, response) => response.end('{"data":[{"ind'),
    ])
    const answer = embedder.embed(['x'])
    await waiting
    await clock.advanceToNext()
    expect(await answer).toEqual([Float32Array.from(vectorOf('x'))])
    expect(recorder.eventsNamed('embedding_retried').map((fields) => fields['error'])).toEqual([
      'embedding-timeout',
      'embedding-unreachable',
      'embedding-unreachable',
      'embedding-answer',
    ])
    expect(clock.pendingTimers).toBe(0)
  })

  const json = (value: unknown) => status(200, JSON.stringify(value))
  it.each([
    ['a refusal', status(400, '{"error":{"message":"too long"}}'), { kind: 'invalid', message: /too long/ }],
    ['a wrong key', status(401, '{}'), { kind: 'unauthorized' }],
    ['a missing right', status(403, 'no'), { kind: 'forbidden' }],
    ['no such model', status(404, '{"error":"model not found"}'), { kind: 'unsupported', message: /model not found/ }],
    ['an empty purse', status(429, '{"error":{"message":"","code":"insufficient_quota"}}'), { kind: 'forbidden' }],
    ['a redirect', status(307, '', { location: 'https://elsewhere' }), { code: 'embedding-redirect' }],
    ['another API', json({ hello: 'world' }), { kind: 'unsupported', code: 'embedding-answer' }],
    ['a list', json([1]), { code: 'embedding-answer' }],
    ['too few vectors', json({ data: [] }), { code: 'embedding-answer' }],
    ['a wrong index', json({ data: [{ index: 1, embedding: [1] }] }), { code: 'embedding-answer' }],
    ['no numbers', json({ data: [{ index: 0, embedding: ['1'] }] }), { code: 'embedding-answer' }],
    ['an empty vector', json({ data: [{ index: 0, embedding: [] }] }), { code: 'embedding-answer' }],
    ['a null', json({ data: [null] }), { code: 'embedding-answer' }],
    [
      'not a number',
      json({ data: [{ embedding: Buffer.from('ffffffff', 'hex').toString('base64') }] }),
      { code: 'embedding-answer' },
    ],
    ['another dimension', json({ data: [{ embedding: [1, 2] }] }), { code: 'embedding-dimension' }],
  ])('does not repeat %s', async (_, handler, expected) => {
    const { embedder, requests } = await provider([handler], { dimensions: 3 })
    const { message, ...rest } = { message: /./, ...expected }
    const error = await embedder.embed(['x']).catch((caught: unknown) => caught)
    expect(error).toMatchObject(rest)
    expect((error as Error).message).toMatch(message)
    expect(requests).toHaveLength(1)
    expect(await embedder.embed(['x'])).toHaveLength(1)
  })

  it('never shows a secret', async () => {
    const echo: Handler = (_, response, message) =>
      response
        .writeHead(401)
        .end(
          `{"error":{"message":"Incorrect key: ${message.headers.authorization} sk-sec***789 ${message.headers['api-key'] as string}"}}`,
        )
    const { embedder, recorder } = await provider([echo], { headers: { 'api-key': 'azure-secret' } })
    const error = (await embedder.embed(['x']).catch((caught: unknown) => caught)) as Error
    expect(error.message).toContain('Incorrect key')
    const shown = `${error.stack} ${JSON.stringify(embedder)} ${JSON.stringify(recorder.events)}`
    expect(shown).not.toMatch(/sk-sec|azure-secret|789/)
    for (const options of [{ apiKey: 'sk-x\ny' }, { headers: { a: 'sk-x\ny' } }, { baseUrl: 'http://me:sk-x@host' }]) {
      const create = () =>
        new OpenAiEmbedder(options, {
          http: systemHttp,
          clock: ManualClock.skippingSleeps(),
          random: { next: () => 0 },
        })
      expect(create).toThrow(/header|password/)
      expect(create).not.toThrow(/sk-x/)
    }
  })

  it('stops every batch when one fails or the caller aborts', async () => {
    const never: Handler = () => {}
    const failing = await provider([never, status(400, 'no')], { maxBatchTexts: 1, concurrency: 2 })
    await expect(failing.embedder.embed(['a', 'b', 'c', 'd'])).rejects.toMatchObject({ code: 'embedding-refused' })
    expect(failing.requests.length).toBeLessThanOrEqual(2)

    const controller = new AbortController()
    const hanging = await provider([() => controller.abort(new Error('changed my mind'))])
    await expect(hanging.embedder.embed(['a'], { signal: controller.signal })).rejects.toThrow('changed my mind')
    expect(hanging.embedder.usage).toMatchObject({ calls: 1, retries: 0, failures: 1 })
  })

  it('refuses empty texts, and OpenAI without a key, before any request', async () => {
    const { embedder, requests } = await provider([])
    await expect(embedder.embed(['a', ''])).rejects.toMatchObject({ kind: 'invalid', field: 'texts[1]' })
    expect(await embedder.embed([])).toEqual([])
    expect(requests).toHaveLength(0)
    const keyless = new OpenAiEmbedder(
      {},
      { http: systemHttp, clock: ManualClock.skippingSleeps(), random: { next: () => 0 } },
    )
    await expect(keyless.embed(['a'])).rejects.toMatchObject({ kind: 'unauthorized', code: 'embedding-key-missing' })
    expect(keyless.dimension).toBe(1536)
  })

  it('keeps under its limit of requests', async () => {
    const { embedder, clock } = await provider([], { maxBatchTexts: 1, requestsPerMinute: 12, concurrency: 4 })
    await embedder.embed(['a', 'b', 'c', 'd'])
    expect(clock.sleptMs).toEqual([5000, 5000])
  })
})
