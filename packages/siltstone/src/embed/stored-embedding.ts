/**
 * The object of one embedding, `embeddings/<id>.json.gz` (gzipped) or `<id>.json`: JSON
 * `{"id", "embedding": [numbers], "model"?, "dimension", "text_sha256"?}`. Other writers give at least `id` and
 * `embedding`; the rest may be absent. Numbers are float32, written with the fewest digits that read back the same.
 */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { corrupt, invalid } from '../errors.ts'

export interface StoredEmbedding {
  id: string
  embedding: Float32Array
  /** undefined when the writer did not state it. */
  model: string | undefined
  /** Hexadecimal SHA-256 of the embedded text's UTF-8. */
  textSha256: string | undefined
}

const compress = promisify(gzip)
const decompress = promisify(gunzip)
/** Limit of the decompressed JSON, about 500,000 dimensions: more than is ever written, and no decompression bomb. */
const MAX_JSON_BYTES = 8 * 1024 * 1024

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** The cache's id of a text's embedding: `sha256(model + '\0' + text)`, hexadecimal. */
export function contentId(model: string, text: string): string {
  return sha256Hex(`${model}\0${text}`)
}

/** What is stored can be read back: far below `MAX_JSON_BYTES`, and written at once. */
const MAX_DIMENSION = 65_536
const MAX_MODEL_LENGTH = 512

/**
 * @throws SiltstoneError `invalid` (bad-embedding) for an empty vector, one with numbers that are not finite or with more than
 *   65,536 dimensions, and a name of a model of more than 512 characters
 */
export async function encodeStoredEmbedding(stored: StoredEmbedding, compressed = true): Promise<Uint8Array> {
  const { id, embedding, model, textSha256 } = stored
  if (embedding.length > MAX_DIMENSION) {
    const found = `embedding of ${JSON.stringify(id)} has ${embedding.length} dimensions`
    throw invalid('bad-embedding', `${found}; at most ${MAX_DIMENSION} are allowed`, { field: 'embedding' })
  }
  if (embedding.length === 0 || !embedding.every(Number.isFinite)) {
    throw invalid('bad-embedding', `embedding of ${JSON.stringify(id)} is empty or has numbers that are not finite`, {
      field: 'embedding',
    })
  }
  if (model !== undefined && model.length > MAX_MODEL_LENGTH) {
    const found = `the model of ${JSON.stringify(id)} has a name of ${model.length} characters`
    throw invalid('bad-embedding', `${found}; at most ${MAX_MODEL_LENGTH} are allowed`, { field: 'model' })
  }
  const numbers = Array.from(embedding, shortest)
  const json = { id, embedding: numbers, model, dimension: embedding.length, text_sha256: textSha256 }
  const text = JSON.stringify(json)
  return compressed ? compress(text) : new TextEncoder().encode(text)
}

/** @throws SiltstoneError `corrupt` (embedding-damaged) naming the key and what is wrong */
export async function decodeStoredEmbedding(bytes: Uint8Array, key: string, id: string): Promise<StoredEmbedding> {
  const damaged = (reason: string, cause?: unknown) =>
    corrupt('embedding-damaged', `The object ${key} is damaged: ${reason}.`, { key, cause })
  let value: { id?: unknown; embedding?: unknown; model?: unknown; dimension?: unknown; text_sha256?: unknown }
  try {
    value = (JSON.parse(await textOf(bytes)) ?? {}) as object
  } catch (cause) {
    throw damaged('it is not gzipped JSON', cause)
  }
  const { embedding, model, dimension, text_sha256: textSha256 } = value
  if (!Array.isArray(embedding) || embedding.length === 0) throw damaged('it has no embedding')
  if (!embedding.every((x) => typeof x === 'number' && Number.isFinite(Math.fround(x)))) {
    throw damaged('its embedding has something else than float32 numbers')
  }
  if (value.id !== undefined && value.id !== id) throw damaged('its id is another')
  if (dimension !== undefined && dimension !== embedding.length)
    throw damaged('its dimension is not that of its embedding')
  return {
    id,
    embedding: Float32Array.from(embedding as number[]),
    model: typeof model === 'string' ? model : undefined,
    textSha256: typeof textSha256 === 'string' ? textSha256 : undefined,
  }
}

/** By the magic number, not by the key: some gateways decompress objects with `Content-Encoding: gzip`. */
async function textOf(bytes: Uint8Array): Promise<string> {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b
  const json = packed ? await decompress(bytes, { maxOutputLength: MAX_JSON_BYTES }) : bytes
  return new TextDecoder('utf-8', { fatal: true }).decode(json)
}

function shortest(float32: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(float32.toPrecision(digits))
    if (Math.fround(candidate) === float32) return candidate
  }
  return Number(float32.toPrecision(9))
}
