/** Reads responses and errors of an OpenAI-compatible `POST /embeddings`. */

import { forbidden, invalid, type SiltstoneError, unauthorized, unavailable, unsupported } from '../errors.ts'
import type { HttpAnswer } from '../ports/http.ts'
import { retryAfterOf, TransientFault } from './retry-request.ts'

export interface OpenAiAnswer {
  vectors: Float32Array[]
  /** undefined where the server does not say. */
  tokens: number | undefined
}

/**
 * @throws TransientFault for bytes that are not JSON (a proxy may have truncated them, so a repetition may help)
 * @throws SiltstoneError `unsupported` (embedding-answer) for JSON of another shape (a repetition will not help)
 */
export function readVectors(body: string, texts: number): OpenAiAnswer {
  const answer = parse(body)
  if (answer === undefined) {
    throw new TransientFault(
      unavailable('embedding-answer', 'The embedding provider answered bytes that are not JSON.'),
    )
  }
  const { data, usage } = answer as { data?: unknown; usage?: { prompt_tokens?: unknown; total_tokens?: unknown } }
  if (!Array.isArray(data)) throw unexpected('has no `data` array')
  if (data.length !== texts) throw unexpected(`has ${data.length} embeddings for ${texts} texts`)
  const vectors: (Float32Array | undefined)[] = Array(texts).fill(undefined)
  for (const [position, item] of (data as { index?: unknown; embedding?: unknown }[]).entries()) {
    const index = typeof item?.index === 'number' ? item.index : position
    if (!(index in vectors) || vectors[index] !== undefined) throw unexpected(`has a wrong index ${index}`)
    vectors[index] = readVector(item?.embedding, index)
  }
  const dimension = vectors[0]?.length
  if (vectors.some((vector) => vector?.length !== dimension)) throw unexpected('has embeddings of unequal length')
  const tokens = usage?.prompt_tokens ?? usage?.total_tokens
  return { vectors: vectors as Float32Array[], tokens: typeof tokens === 'number' ? tokens : undefined }
}

function readVector(embedding: unknown, index: number): Float32Array {
  let vector: Float32Array
  if (typeof embedding === 'string') {
    const bytes = Buffer.from(embedding, 'base64')
    vector = Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => bytes.readFloatLE(i * 4))
  } else if (Array.isArray(embedding) && embedding.every((x) => typeof x === 'number')) {
    vector = Float32Array.from(embedding)
  } else throw unexpected(`has no embedding at index ${index}`)
  if (vector.length === 0) throw unexpected(`has an empty embedding at index ${index}`)
  if (!vector.every(Number.isFinite))
    throw unexpected(`has an embedding at index ${index} with numbers that are not finite`)
  return vector
}

function unexpected(what: string): SiltstoneError {
  return unsupported(
    'embedding-answer',
    `The embedding provider's answer ${what}: is the base URL that of an OpenAI-compatible API?`,
  )
}

/** The error for a status other than 2xx: TransientFault where a repetition may help. `body` must hold no secret. */
export function faultOf(answer: HttpAnswer, body: string, nowMs: number): SiltstoneError | TransientFault {
  const { status } = answer
  const detail = (parse(body) as { error?: { message?: unknown; code?: unknown } | string } | undefined)?.error
  const text = typeof detail === 'string' ? detail : typeof detail?.message === 'string' ? detail.message : body
  const said = `The embedding provider answered ${status}: ${text.slice(0, 300).trim() || '(no text)'}`
  if (status === 429 && typeof detail === 'object' && detail.code === 'insufficient_quota') {
    return forbidden('embedding-quota', `${said} Check the account's plan and billing.`)
  }
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMs = retryAfterOf(answer.headers, nowMs)
    const code = status === 429 ? 'embedding-rate-limited' : 'embedding-unavailable'
    return new TransientFault(unavailable(code, said, retryAfterMs === undefined ? {} : { retryAfterMs }))
  }
  if (status === 401) return unauthorized('embedding-unauthorized', `${said} Check the API key.`)
  if (status === 403) return forbidden('embedding-forbidden', said)
  if (status === 404) return unsupported('embedding-model-missing', `${said} Check the model's name and the base URL.`)
  if (status >= 300 && status < 400) {
    const to = answer.headers.get('location') ?? 'elsewhere'
    return unsupported(
      'embedding-redirect',
      `The embedding provider redirects to ${to}: set the base URL to where it is.`,
    )
  }
  return invalid('embedding-refused', said)
}

function parse(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return undefined
  }
}
