/**
 * Parses request bodies: bytes → text → fields.
 *
 * Metadata and filters distinguish integers and floats (`1` is not `1.0`), and 64-bit integers keep every digit. JSON.parse
 * loses the difference only for a few spellings of numbers. Fields with such a number go through the exact parser, which is
 * several times slower. Vectors have only floats, so JSON.parse always parses them.
 */
import { invalid, type SiltstoneError } from '../../errors.ts'
import { parseExact } from '../../records/exact-json.ts'
import { ApiProblem, badShape } from './problem.ts'
import { Fields } from './fields.ts'
import { splitObject } from './split-json.ts'

/**
 * Matches numbers whose type or digits JSON.parse would lose: 16 and more digits, `1.0`, exponents, `-0`, and fractions so
 * close to an integer that a double may round to it.
 */
const NEEDS_EXACT_PARSER =
  /(?:^|[:,[])\s*(?:-?(?:\d{16,}|\d{8,}\.\d|\d+\.(?:0+(?=[\s,}\]]|$)|0{8}|9{8})|\d+(?:\.\d+)?[eE])|-0(?=[\s,}\]]|$))/

const VECTOR_FIELDS = new Set(['embedding', 'embeddings', 'query_embeddings'])
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * @throws ApiProblem 413 when the body is larger than `maxBytes`, also if its headers are wrong; 400 when it ends early
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (announced !== null && Number(announced) > maxBytes) throw tooLarge()
  // The HTTP parser enforces an announced length.
  const isBounded = announced !== null || request.headers.get('transfer-encoding') === null
  const body = await received(isBounded ? readWhole(request) : readStream(request.body, maxBytes))
  if (body.length > maxBytes) throw tooLarge()
  return body
}

async function readWhole(request: Request): Promise<Uint8Array> {
  return new Uint8Array(await request.arrayBuffer())
}

/** Reads the body, but stops when it has more than `maxBytes`. */
async function readStream(stream: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  if (stream === null) return new Uint8Array()
  const reader = stream.getReader()
  while (sizeBytes <= maxBytes) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    sizeBytes += value.length
    chunks.push(value)
  }
  await reader.cancel()
  return Buffer.concat(chunks)
}

/** A client that disconnects during its request is not a failure of the server. */
async function received(body: Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await body
  } catch (cause) {
    throw new ApiProblem(400, 'InvalidArgumentError', 'body-incomplete', 'The request body ended early', cause)
  }
}

/** The app answers it as plain text. */
function tooLarge(): ApiProblem {
  return new ApiProblem(413, 'ChromaError', 'body-too-large', 'Payload too large')
}

/**
 * @throws SiltstoneError `invalid` (bad-json) when the body is not JSON, ApiProblem 422 when it is not an object
 */
export function parseBody(bytes: Uint8Array): Fields {
  const text = decode(bytes)
  if (hasLoneSurrogate(text)) throw badJson('a string has an unpaired surrogate')
  const cuts = splitObject(text)
  if (cuts === undefined) throw notAnObject(text)
  const values = new Map<string, unknown>()
  for (const [key, cut] of cuts) values.set(key, parseField(key, cut, text))
  return new Fields(values, '')
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw badJson('the body is not UTF-8', cause)
  }
}

function parseField(key: string, cut: string, text: string): unknown {
  try {
    return !VECTOR_FIELDS.has(key) && NEEDS_EXACT_PARSER.test(cut) ? parseExact(cut) : (JSON.parse(cut) as unknown)
  } catch (cause) {
    throw badJson(nativeMessage(text) ?? (cause as Error).message, cause)
  }
}

/** JSON.parse's message for the whole text, with the position of the error; undefined without an error. */
function nativeMessage(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function notAnObject(text: string): Error {
  const message = nativeMessage(text)
  if (message !== undefined) return badJson(text.trim() === '' ? 'the body is empty' : message)
  return badShape('', `expected an object, got ${text.slice(0, 20)}`)
}

function badJson(detail: string, cause?: unknown): SiltstoneError {
  return invalid('bad-json', `Failed to parse the request body as JSON: ${detail}`, { cause })
}

/**
 * An unpaired surrogate has no UTF-8 form, so two ids could become one. It can only come from an escape sequence: text
 * decoded from valid UTF-8 has none.
 */
function hasLoneSurrogate(text: string): boolean {
  if (!text.includes('\\u') || !/\\u[dD][89a-fA-F]/.test(text)) return false
  // An escaped backslash must not combine with the characters that follow.
  const escapes = text.replaceAll('\\\\', '__')
  return /\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]/.test(escapes)
}
