import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { openAiTranscriber } from './openai-transcriber.ts'
import { samplesOf, wavOf } from './transcriber.ts'
import { type WhisperRuntime, whisperTranscriber } from './whisper-transcriber.ts'

const pcm = Float32Array.from({ length: 16_000 }, (_, k) => Math.sin(k / 10))
const { signal } = new AbortController()

describe('a server of transcripts', () => {
  const closing: (() => void)[] = []
  afterEach(() => closing.splice(0).forEach((close) => close()))

  /** A server of OpenAI's API that answers every request alike, and keeps what it got. */
  async function serve(answer: (response: ServerResponse) => void) {
    const requests: { url: string | undefined; headers: IncomingMessage['headers']; form: FormData }[] = []
    const receive = async (request: IncomingMessage, response: ServerResponse) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      const type = request.headers['content-type'] ?? ''
      const form = await new Response(Buffer.concat(parts), { headers: { 'content-type': type } }).formData()
      requests.push({ url: request.url, headers: request.headers, form })
      answer(response)
    }
    const server = createServer((request, response) => void receive(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    return { requests, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/` }
  }
  const json = (body: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(body))
  const status =
    (code: number, headers: Record<string, string> = {}) =>
    (response: ServerResponse) =>
      void response.writeHead(code, headers).end('{"error":{"message":"no"}}')

  it('gets a WAV file and gives segments', async () => {
    const segments = [
      { start: 0.5, end: 1.25, text: ' Rivers carry sand.' },
      { start: 2, end: 2, text: ' ' },
      { start: 'x' },
    ]
    const { requests, baseUrl } = await serve(json({ text: 'Rivers carry sand.', segments }))
    const transcriber = openAiTranscriber({ baseUrl, model: 'tiny', apiKey: 'secret', language: 'en' })
    expect(await transcriber.transcribe(pcm, signal)).toEqual([
      { startMs: 500, endMs: 1_250, text: 'Rivers carry sand.' },
    ])
    const [{ url, headers, form }] = requests as [(typeof requests)[number]]
    expect([url, headers.authorization, form.get('model'), form.get('language'), form.get('response_format')]).toEqual([
      '/v1/audio/transcriptions',
      'Bearer secret',
      'tiny',
      'en',
      'verbose_json',
    ])
    const file = form.get('file') as File
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(wavOf(samplesOf(pcm), 16_000))
    expect(file.name).toBe('speech.wav')
  })

  it('that knows no segments gives one', async () => {
    const { baseUrl } = await serve(json({ text: 'Only text.' }))
    expect(await openAiTranscriber({ baseUrl }).transcribe(pcm, signal)).toEqual([
      { startMs: 0, endMs: 1_000, text: 'Only text.' },
    ])
  })

  it.each([
    [401, 'unauthorized', 'transcriber-key'],
    [404, 'not-found', 'transcriber-model'],
    [413, 'invalid', 'transcription-refused'],
    [503, 'unavailable', 'transcriber-unavailable'],
  ])('that answers %s is %s', async (code, kind, name) => {
    const { baseUrl } = await serve(status(code))
    await expect(openAiTranscriber({ baseUrl }).transcribe(pcm, signal)).rejects.toMatchObject({ kind, code: name })
  })

  it('that is busy says when to come again; one that is away is unavailable', async () => {
    const { baseUrl } = await serve(status(429, { 'retry-after': '7' }))
    await expect(openAiTranscriber({ baseUrl }).transcribe(pcm, signal)).rejects.toMatchObject({
      kind: 'unavailable',
      retryAfterMs: 7_000,
    })
    const away = openAiTranscriber({ baseUrl: 'http://127.0.0.1:1' })
    await expect(away.transcribe(pcm, signal)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'transcriber-unavailable',
    })
    await expect(away.transcribe(pcm, AbortSignal.abort(new Error('lost')))).rejects.toThrow('lost')
    expect(() => openAiTranscriber({ baseUrl: 'ftp://x' })).toThrow(/baseUrl/)
  })
})

describe('whisper on this machine', () => {
  /** The runtime's interface, with a model that says how long it listened. */
  function runtime() {
    const calls: string[] = []
    let stopped = () => undefined as void
    const fake: WhisperRuntime = {
      initWhisper: async ({ filePath }) => {
        calls.push(`load ${filePath}`)
        if (filePath === 'missing.bin') throw new Error('no such file')
        return {
          transcribeData: (samples, { language }) => {
            calls.push(`transcribe ${language}`)
            const first = new Int16Array(samples)[0] as number
            // The first sample of a recording that never ends.
            const never = first === 32_767 ? new Promise<void>((resolve) => (stopped = resolve)) : Promise.resolve()
            return {
              stop: async () => stopped(),
              promise: never.then(() => ({
                segments: [
                  { text: ' [BLANK_AUDIO]', t0: 0, t1: 100 },
                  { text: ` ${samples.byteLength / 2} samples`, t0: 100, t1: 900 },
                ],
              })),
            }
          },
          release: async () => void calls.push('release'),
        }
      },
    }
    return { calls, load: async () => fake }
  }

  it('loads its model once, takes samples, and leaves sounds out', async () => {
    const { calls, load } = runtime()
    const transcriber = whisperTranscriber({ model: '/models/ggml-tiny.en.bin' }, load)
    const [first, second] = await Promise.all([
      transcriber.transcribe(pcm, signal),
      transcriber.transcribe(pcm.subarray(0, 10), signal),
    ])
    expect(first).toEqual([{ startMs: 100, endMs: 900, text: '16000 samples' }])
    expect(second).toMatchObject([{ text: '10 samples' }])
    await transcriber.close()
    expect(calls).toEqual(['load /models/ggml-tiny.en.bin', 'transcribe en', 'transcribe en', 'release'])
    expect(transcriber.name).toBe('whisper/ggml-tiny.en.bin')
  })

  it('stops when it is cancelled', async () => {
    const { load } = runtime()
    const controller = new AbortController()
    const running = whisperTranscriber({ model: 'm' }, load).transcribe(Float32Array.of(1), controller.signal)
    setTimeout(() => controller.abort(new Error('lost the claim')), 20)
    await expect(running).rejects.toThrow('lost the claim')
  })

  it('names a model that cannot be loaded, and what to install', async () => {
    const { load } = runtime()
    await expect(whisperTranscriber({ model: 'missing.bin' }, load).transcribe(pcm, signal)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'transcriber-option',
    })
    await expect(whisperTranscriber({ model: 'm' }).transcribe(pcm, signal)).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'transcriber-missing',
      message: expect.stringContaining('npm install'),
    })
  })
})
