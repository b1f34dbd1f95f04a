/**
 * Amazon Transcribe as its API is documented (JSON 1.1 over HTTP), and the three requests to S3 that are used, from one server on
 * this machine. The requests are made by the SDK's own clients. That AWS behaves so is not tested here.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AwsTranscriberOptions, awsTranscriber } from './aws-transcriber.ts'
import { samplesOf, wavOf } from './transcriber.ts'

const pcm = Float32Array.from({ length: 16_000 }, (_, k) => Math.sin(k / 10))
const never = new AbortController().signal
const segment = (start: number, end: number, transcript: string) => ({
  transcript,
  start_time: `${start}`,
  end_time: `${end}`,
})
const SAID = { results: { audio_segments: [segment(0.5, 1.25, ' Rivers carry sand.')] } }

const closing: (() => Promise<void>)[] = []
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closing.splice(0)) await close()
})

interface Refusal {
  status: number
  type: string
}

class Service {
  readonly objects = new Map<string, Buffer>()
  readonly asked: string[] = []
  /** The last request of each operation. */
  readonly requests = new Map<string, Record<string, unknown>>()
  readonly jobs = new Map<string, string[]>()
  /** How a job stands at each question; the last one stays. */
  stands = ['QUEUED', 'IN_PROGRESS', 'COMPLETED']
  reason = 'The audio is too short.'
  result: unknown = SAID
  /** By operation. */
  refusals: Record<string, Refusal> = {}
  onAsked: (operation: string) => void = () => undefined

  async open(): Promise<string> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const target = String(request.headers['x-amz-target'] ?? '').split('.')[1]
        const operation = target ?? `${request.method} object`
        this.asked.push(operation)
        this.onAsked(operation)
        const refusal = this.refusals[operation]
        if (refusal !== undefined) refuse(response, refusal, target === undefined)
        else if (target === undefined)
          this.#object(String(request.method), String(request.url), Buffer.concat(parts), response)
        else this.#job(target, JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>, response)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  #object(method: string, url: string, body: Buffer, response: ServerResponse): void {
    const path = decodeURIComponent(url.split('?')[0] ?? '')
    if (method === 'PUT') this.objects.set(path, body)
    if (method === 'DELETE') this.objects.delete(path)
    const found = this.objects.get(path)
    if (method === 'GET' && found === undefined) return refuse(response, { status: 404, type: 'NoSuchKey' }, true)
    response.writeHead(method === 'DELETE' ? 204 : 200, { etag: '"e"' }).end(method === 'GET' ? found : undefined)
  }

  #job(operation: string, request: Record<string, unknown>, response: ServerResponse): void {
    this.requests.set(operation, request)
    const name = String(request['TranscriptionJobName'])
    if (operation === 'StartTranscriptionJob') this.jobs.set(name, [...this.stands])
    const stands = this.jobs.get(name)
    if (stands === undefined) return refuse(response, { status: 400, type: 'BadRequestException' }, false)
    const state = operation === 'GetTranscriptionJob' && stands.length > 1 ? stands.shift() : stands[0]
    if (operation === 'DeleteTranscriptionJob') {
      if (state !== 'COMPLETED' && state !== 'FAILED')
        return refuse(response, { status: 400, type: 'BadRequestException' }, false)
      this.jobs.delete(name)
      return void response.writeHead(200).end()
    }
    const start = this.requests.get('StartTranscriptionJob') ?? {}
    if (state === 'COMPLETED')
      this.objects.set(
        `/${String(start['OutputBucketName'])}/${String(start['OutputKey'])}`,
        Buffer.from(typeof this.result === 'string' ? this.result : JSON.stringify(this.result)),
      )
    const job = {
      TranscriptionJobName: name,
      TranscriptionJobStatus: state,
      ...(state === 'FAILED' && { FailureReason: this.reason }),
    }
    response
      .writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
      .end(JSON.stringify({ TranscriptionJob: job }))
  }
}

function refuse(response: ServerResponse, { status, type }: Refusal, isXml: boolean): void {
  const body = isXml
    ? `<?xml version="1.0"?><Error><Code>${type}</Code><Message>no</Message></Error>`
    : JSON.stringify({ __type: type, Message: 'no' })
  response.writeHead(status, { 'content-type': isXml ? 'application/xml' : 'application/x-amz-json-1.1' }).end(body)
}

async function opened(
  change: (service: Service) => void = () => undefined,
  options: Partial<AwsTranscriberOptions> = {},
) {
  const service = new Service()
  change(service)
  const endpoint = await service.open()
  const transcriber = awsTranscriber({ bucket: 'talks', region: 'eu-west-1', endpoint, pollMs: 1, ...options })
  closing.unshift(() => transcriber.close())
  return { service, transcriber }
}

describe('Amazon Transcribe', () => {
  it('gets the audio in a bucket, is asked until its job has ended, and keeps nothing', async () => {
    let audio: Buffer | undefined
    const { service, transcriber } = await opened((one) => {
      one.onAsked = (operation) => {
        if (operation === 'StartTranscriptionJob') [audio] = one.objects.values()
      }
    })
    expect(transcriber.name).toBe('aws-transcribe/auto')
    expect(await transcriber.transcribe(pcm, never)).toEqual([
      { startMs: 500, endMs: 1_250, text: 'Rivers carry sand.' },
    ])
    expect(audio?.equals(wavOf(samplesOf(pcm), 16_000))).toBe(true)
    const name = service.requests.get('StartTranscriptionJob')?.['TranscriptionJobName']
    expect(name).toMatch(/^siltstone-[0-9a-f-]{36}$/)
    expect(service.requests.get('StartTranscriptionJob')).toEqual({
      TranscriptionJobName: name,
      Media: { MediaFileUri: `s3://talks/derived/transcribe/${String(name)}.wav` },
      MediaFormat: 'wav',
      MediaSampleRateHertz: 16_000,
      OutputBucketName: 'talks',
      OutputKey: `derived/transcribe/${String(name)}.json`,
      IdentifyLanguage: true,
    })
    expect(service.asked.filter((one) => one === 'GetTranscriptionJob')).toHaveLength(3)
    expect([service.objects.size, service.jobs.size]).toEqual([0, 0])
    expect(await transcriber.transcribe(new Float32Array(0), never)).toEqual([])
  })

  it('is told the language and the prefix', async () => {
    const { service, transcriber } = await opened(undefined, { language: 'de-DE', prefix: 'for a while/' })
    await transcriber.transcribe(pcm, never)
    const start = service.requests.get('StartTranscriptionJob')
    expect(start).toMatchObject({ LanguageCode: 'de-DE', OutputKey: expect.stringMatching(/^for a while\/siltstone-/) })
    expect(start).not.toHaveProperty('IdentifyLanguage')
    expect(service.objects.size).toBe(0)
  })

  it('that gives no segments has its words joined to sentences; pauses end them, too', async () => {
    const word = (content: string, start: number) => ({
      type: 'pronunciation',
      alternatives: [{ content }],
      start_time: `${start}`,
      end_time: `${start + 0.4}`,
    })
    const mark = (content: string) => ({ type: 'punctuation', alternatives: [{ content }] })
    const items = [
      word('Rivers', 0),
      word('carry', 0.5),
      mark(','),
      word('sand', 1),
      mark('.'),
      word('It', 1.5),
      word('sinks', 4),
    ]
    const { transcriber } = await opened((one) => (one.result = { results: { items } }))
    expect(await transcriber.transcribe(pcm, never)).toEqual([
      { startMs: 0, endMs: 1_400, text: 'Rivers carry, sand.' },
      { startMs: 1_500, endMs: 1_900, text: 'It' },
      { startMs: 4_000, endMs: 4_400, text: 'sinks' },
    ])
  })

  it.each([
    [{ results: { transcripts: [{ transcript: 'Only text.' }] } }, [{ startMs: 0, endMs: 1_000, text: 'Only text.' }]],
    [{ results: { transcripts: [{ transcript: '' }], items: [] } }, []],
  ])('that has heard this: %j', async (result, segments) => {
    const { transcriber } = await opened((one) => (one.result = result))
    expect(await transcriber.transcribe(pcm, never)).toEqual(segments)
  })

  it.each(['<html>', '[]', '{"results":3}'])('whose result is %s is unavailable, and keeps nothing', async (result) => {
    const { service, transcriber } = await opened((one) => (one.result = result))
    await expect(transcriber.transcribe(pcm, never)).rejects.toMatchObject({ code: 'transcriber-unavailable' })
    expect([service.objects.size, service.jobs.size]).toEqual([0, 0])
  })

  it('that refuses the audio says why, and keeps nothing', async () => {
    const { service, transcriber } = await opened((one) => (one.stands = ['IN_PROGRESS', 'FAILED']))
    await expect(transcriber.transcribe(pcm, never)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'transcription-refused',
      message: expect.stringContaining('too short'),
    })
    expect([service.objects.size, service.jobs.size]).toEqual([0, 0])
  })

  it.each([
    ['PUT object', 404, 'NoSuchBucket', 'not-found', 'transcriber-bucket'],
    ['PUT object', 403, 'AccessDenied', 'unauthorized', 'transcriber-key'],
    ['StartTranscriptionJob', 400, 'AccessDeniedException', 'unauthorized', 'transcriber-key'],
    ['StartTranscriptionJob', 400, 'LimitExceededException', 'unavailable', 'transcriber-unavailable'],
    ['StartTranscriptionJob', 400, 'BadRequestException', 'invalid', 'transcription-refused'],
    ['GetTranscriptionJob', 500, 'InternalFailureException', 'unavailable', 'transcriber-unavailable'],
  ])('whose answer to %s is %i %s is %s', async (operation, status, type, kind, code) => {
    const { service, transcriber } = await opened((one) => (one.refusals = { [operation]: { status, type } }))
    await expect(transcriber.transcribe(pcm, never)).rejects.toMatchObject({ kind, code })
    expect(service.objects.size).toBe(0)
  })

  it('that may not delete what was said says where it is', async () => {
    const { service, transcriber } = await opened(
      (one) => (one.refusals = { 'DELETE object': { status: 403, type: 'AccessDenied' } }),
    )
    await expect(transcriber.transcribe(pcm, never)).rejects.toMatchObject({
      code: 'transcriber-key',
      message: expect.stringContaining('s3://talks/derived/transcribe/siltstone-'),
    })
    expect(service.objects.size).toBe(2)
  })

  it('takes too long, or is no longer wanted: the audio goes', async () => {
    const slow = await opened((one) => (one.stands = ['IN_PROGRESS']), { timeoutMs: 0 })
    await expect(slow.transcriber.transcribe(pcm, never)).rejects.toMatchObject({
      code: 'transcriber-unavailable',
      message: expect.stringContaining('IN_PROGRESS'),
    })
    expect(slow.service.objects.size).toBe(0)
    const stop = new AbortController()
    const aborted = await opened((one) => {
      one.stands = ['IN_PROGRESS']
      one.onAsked = (operation) => operation === 'GetTranscriptionJob' && stop.abort(new Error('enough'))
    })
    await expect(aborted.transcriber.transcribe(pcm, stop.signal)).rejects.toThrow('enough')
    expect(aborted.service.objects.size).toBe(0)
  })

  it('that nobody answers for is unavailable', async () => {
    const { transcriber } = await opened(undefined, { endpoint: 'http://127.0.0.1:1' })
    await expect(transcriber.transcribe(pcm, never)).rejects.toMatchObject({ code: 'transcriber-unavailable' })
  })

  it('needs its clients, a bucket and a prefix', async () => {
    const missing = Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' })
    const load = () => Promise.reject(missing)
    await expect(awsTranscriber({ bucket: 'talks' }, load).transcribe(pcm, never)).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'transcriber-missing',
      message: expect.stringContaining('npm install'),
    })
    const refused = (options: AwsTranscriberOptions) => {
      try {
        awsTranscriber(options)
      } catch (error) {
        return error
      }
      return undefined
    }
    expect(refused({ bucket: 's3://talks' })).toMatchObject({ code: 'transcriber-option', field: 'bucket' })
    expect(refused({ bucket: 'talks', prefix: 'audio' })).toMatchObject({ code: 'transcriber-option', field: 'prefix' })
  })
})
