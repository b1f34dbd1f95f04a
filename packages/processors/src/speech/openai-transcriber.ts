/**
 * Transcripts from OpenAI or any server that speaks its `POST /audio/transcriptions` (whisper.cpp's server, faster-whisper,
 * vLLM, LocalAI …). Segments come from `verbose_json`; a server or model that only gives text gives one segment.
 *
 * | answer | error |
 * |---|---|
 * | 401, 403 | `unauthorized` (transcriber-key) |
 * | 404 | `not-found` (transcriber-model): the model, or a wrong base URL |
 * | 408, 409, 429, 5xx, none | `unavailable` (transcriber-unavailable), with the server's retry time |
 * | 400, 413, 415, 422 | `invalid` (transcription-refused): this audio is never accepted |
 */
import { invalid, notFound, type SiltstoneError, unauthorized, unavailable } from 'siltstone/passages'
import type { TranscriptSegment } from '../processor.ts'
import { SAMPLE_RATE_HZ } from '../media/speech-windows.ts'
import { samplesOf, type Transcriber, wavOf } from './transcriber.ts'

export interface OpenAiTranscriberOptions {
  /** With the version path. Default OpenAI's. */
  baseUrl?: string
  /** Default `whisper-1`. */
  model?: string
  /** OpenAI itself requires one; without one no Authorization header is sent. */
  apiKey?: string
  /** ISO 639-1; default: the model finds out. */
  language?: string
}

const OPENAI_BASE_URL = 'https://api.openai.com/v1'

/** @throws SiltstoneError `invalid` (transcriber-option) for a base URL that is none */
export function openAiTranscriber(options: OpenAiTranscriberOptions = {}): Transcriber {
  const { baseUrl = OPENAI_BASE_URL, model = 'whisper-1', apiKey, language } = options
  if (!URL.canParse(baseUrl) || !/^https?:/.test(baseUrl))
    throw invalid('transcriber-option', `baseUrl ${JSON.stringify(baseUrl)} is no http address`, { field: 'baseUrl' })
  const url = `${baseUrl.replace(/\/+$/, '')}/audio/transcriptions`
  const close = async () => undefined
  return {
    name: `openai/${model}`,
    async transcribe(pcm, signal) {
      if (pcm.length === 0) return []
      const form = new FormData()
      form.set('file', new Blob([wavOf(samplesOf(pcm), SAMPLE_RATE_HZ)], { type: 'audio/wav' }), 'speech.wav')
      form.set('model', model)
      form.set('response_format', 'verbose_json')
      form.append('timestamp_granularities[]', 'segment')
      if (language !== undefined) form.set('language', language)
      signal.throwIfAborted()
      // As bytes: a body that is a stream cannot be aborted cleanly.
      const encoded = new Response(form)
      const headers: Record<string, string> = { 'content-type': encoded.headers.get('content-type') as string }
      if (apiKey !== undefined) headers['authorization'] = `Bearer ${apiKey}`
      const body = await encoded.arrayBuffer()
      const { status, text, retryAfter } = await send(url, { method: 'POST', headers, body, signal })
      if (status !== 200) throw refusal(status, text, retryAfter)
      return segmentsOf(text, (pcm.length / SAMPLE_RATE_HZ) * 1_000)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function send(
  url: string,
  init: RequestInit,
): Promise<{ status: number; text: string; retryAfter: string | null }> {
  try {
    const answer = await fetch(url, init)
    return { status: answer.status, text: await answer.text(), retryAfter: answer.headers.get('retry-after') }
  } catch (error) {
    init.signal?.throwIfAborted()
    throw unavailable('transcriber-unavailable', `no answer from ${url}`, { cause: error })
  }
}

function refusal(status: number, text: string, retryAfter: string | null): SiltstoneError {
  const message = `the transcriber answered ${status}: ${text.slice(0, 300)}`
  if (status === 401 || status === 403) return unauthorized('transcriber-key', message)
  if (status === 404) return notFound('transcriber-model', message)
  if ([400, 413, 415, 422].includes(status)) return invalid('transcription-refused', message)
  const seconds = Number(retryAfter)
  return unavailable('transcriber-unavailable', message, seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {})
}

interface Answer {
  text?: unknown
  segments?: unknown
}

function segmentsOf(body: string, durationMs: number): TranscriptSegment[] {
  let answer: Answer
  try {
    answer = JSON.parse(body) as Answer
  } catch (error) {
    throw unavailable('transcriber-unavailable', `the transcriber's answer is no JSON: ${body.slice(0, 100)}`, {
      cause: error,
    })
  }
  const segments = Array.isArray(answer.segments)
    ? answer.segments.flatMap((item) => segmentOf(item as Record<string, unknown>))
    : []
  if (segments.length > 0) return segments
  const text = typeof answer.text === 'string' ? answer.text.trim() : ''
  return text === '' ? [] : [{ startMs: 0, endMs: durationMs, text }]
}

function segmentOf({ start, end, text }: Record<string, unknown>): TranscriptSegment[] {
  if (typeof start !== 'number' || typeof end !== 'number' || typeof text !== 'string' || text.trim() === '') return []
  return [{ startMs: start * 1_000, endMs: Math.max(start, end) * 1_000, text: text.trim() }]
}
