import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { openAiTranscriber } from './openai-transcriber.ts'
import { samplesOf, type Transcriber, wavOf } from './transcriber.ts'
import { installedTranscriber, type WhisperPackage, whisperTranscriber } from './whisper-transcriber.ts'

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
  /** The package, with a runtime whose model says how long it listened. */
  function installed(modelPath = import.meta.filename) {
    const calls: string[] = []
    let stopped = () => undefined as void
    class WhisperContext {
      constructor({ filePath }: { filePath: string }) {
        calls.push(`load ${filePath}`)
        if (filePath === 'missing.bin') throw new Error('no such file')
      }
      static toggleNativeLog(isOn: boolean) {
        calls.push(`log ${isOn}`)
      }
      transcribeData(samples: ArrayBuffer, { language }: { language: string }) {
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
      }
      release = async () => void calls.push('release')
    }
    const found: WhisperPackage = { modelPath, loadRuntime: () => ({ WhisperContext }) }
    return { calls, load: async () => found }
  }
  const withCode = (code: string, message: string) => Object.assign(new Error(message), { code })
  const absent = async () =>
    Promise.reject(withCode('ERR_MODULE_NOT_FOUND', "Cannot find package '@siltstone/transcriber-english'"))
  const otherPlatform = async (): Promise<WhisperPackage> => ({
    modelPath: import.meta.filename,
    loadRuntime: () => {
      throw withCode('ERR_DLOPEN_FAILED', 'version GLIBC_2.38 not found')
    },
  })

  it('loads its model once, takes samples, and leaves sounds out', async () => {
    const { calls, load } = installed()
    const transcriber = whisperTranscriber({ model: '/models/ggml-tiny.en.bin' }, load)
    const [first, second] = await Promise.all([
      transcriber.transcribe(pcm, signal),
      transcriber.transcribe(pcm.subarray(0, 10), signal),
    ])
    expect(first).toEqual([{ startMs: 100, endMs: 900, text: '16000 samples' }])
    expect(second).toMatchObject([{ text: '10 samples' }])
    await transcriber.close()
    const loading = ['log true', 'load /models/ggml-tiny.en.bin', 'log false']
    expect(calls).toEqual([...loading, 'transcribe en', 'transcribe en', 'release'])
    expect(transcriber.name).toBe('whisper/ggml-tiny.en.bin')
  })

  it('stops when it is cancelled', async () => {
    const { load } = installed()
    const controller = new AbortController()
    const running = whisperTranscriber({ model: 'm' }, load).transcribe(Float32Array.of(1), controller.signal)
    setTimeout(() => controller.abort(new Error('lost the claim')), 20)
    await expect(running).rejects.toThrow('lost the claim')
  })

  it('is the installed model, where the package, a runtime and the model are there', async () => {
    const { calls, load } = installed()
    const transcriber = (await installedTranscriber(load)) as Transcriber
    expect(transcriber.name).toBe('whisper/tiny.en')
    expect(await transcriber.transcribe(pcm, signal)).toMatchObject([{ text: '16000 samples' }])
    expect(calls).toContain(`load ${import.meta.filename}`)
  })

  it.each([
    ['the package', absent, 'npm install @siltstone/transcriber-english'],
    ['a runtime', otherPlatform, `@fugood/node-whisper-${process.platform}-${process.arch}`],
    ['the model', installed('/nowhere/model.bin').load, 'npm run build:speech-model'],
  ])('says what to install where %s is missing', async (_, load, remedy) => {
    expect(await installedTranscriber(load)).toContain(remedy)
    await expect(whisperTranscriber({}, load).transcribe(pcm, signal)).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'transcriber-missing',
      message: expect.stringContaining(remedy),
    })
  })

  it('names a model that cannot be loaded, and hides no other error of the runtime', async () => {
    const { load } = installed()
    await expect(whisperTranscriber({ model: 'missing.bin' }, load).transcribe(pcm, signal)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'transcriber-option',
    })
    const broken = async () => Promise.reject(new Error('the disk is broken'))
    await expect(installedTranscriber(broken)).rejects.toThrow('the disk is broken')
    await expect(whisperTranscriber({}, broken).transcribe(pcm, signal)).rejects.toThrow('the disk is broken')
  })
})
