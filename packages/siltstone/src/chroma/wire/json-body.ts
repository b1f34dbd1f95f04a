/**
 * Parses request bodies: bytes → text → fields.
 *
 * Metadata and filters distinguish integers and floats (`1` is not `1.0`), and 64-bit integers keep every digit. JSON.parse
 * loses the difference only for a few spellings of numbers. Fields with such a number go through the exact parser, which is
 * several times slower. Vectors have only floats, so JSON.parse always parses them.
 */
import { isSiltstoneError } from '../../errors.ts'
import type { Pause } from '../../pacer.ts'
import { parseExact } from '../../records/exact-json.ts'
import type { BodyReservation } from './body-budget.ts'
import { ApiProblem, badShape } from './problem.ts'
import { Fields } from './fields.ts'
import { badJson } from './json-problem.ts'
import { type FieldParser, NeedsOtherParser, parseObjectSliced, SLICE_BYTES } from './sliced-json.ts'
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
 * @param reservation takes the size before that much is read
 * @throws ApiProblem 413 when the body is larger than `maxBytes`, also if its headers are wrong; 400 when it ends early;
 *   SiltstoneError as the reservation does
 */
export async function readBody(request: Request, maxBytes: number, reservation: BodyReservation): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (announced !== null && Number(announced) > maxBytes) throw tooLarge()
  // The HTTP parser enforces an announced length.
  reservation.grow(Number(announced ?? 0))
  const isBounded = announced !== null || request.headers.get('transfer-encoding') === null
  const body = await received(
    Number(announced ?? 0) > SLICE_BYTES
      ? readInto(Buffer.allocUnsafeSlow(Number(announced)), request.body)
      : isBounded
        ? readWhole(request)
        : readStream(request.body, maxBytes, reservation),
  )
  if (body.length > maxBytes) throw tooLarge()
  return body
}

async function readWhole(request: Request): Promise<Uint8Array> {
  return new Uint8Array(await request.arrayBuffer())
}

/**
 * Copies each chunk to its place when it arrives. The request's own method collects all chunks and then copies them twice,
 * in one go: 80 MB for a body of 40 MB, while nobody else is answered.
 */
async function readInto(body: Buffer, stream: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  let at = 0
  if (stream === null) return new Uint8Array()
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return body.subarray(0, at)
    if (at + value.length > body.length) {
      await reader.cancel()
      throw new ApiProblem(400, 'InvalidArgumentError', 'body-too-long', 'The body is longer than its Content-Length')
    }
    body.set(value, at)
    at += value.length
  }
}

/** Reads the body, but stops when it has more than `maxBytes`. */
async function readStream(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  reservation: BodyReservation,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  if (stream === null) return new Uint8Array()
  const reader = stream.getReader()
  while (sizeBytes <= maxBytes) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    reservation.grow(value.length)
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
    if (isSiltstoneError(cause) || cause instanceof ApiProblem) throw cause
    throw new ApiProblem(400, 'InvalidArgumentError', 'body-incomplete', 'The request body ended early', cause)
  }
}

/** The app answers it as plain text. */
function tooLarge(): ApiProblem {
  return new ApiProblem(413, 'ChromaError', 'body-too-large', 'Payload too large')
}

export interface BodyParsing {
  /** The fields that the endpoint reads. Default: every one. */
  known?: ReadonlySet<string> | undefined
  /** How many elements a list may have that an endpoint accepts, if it is not one vector. Default: any number. */
  maxElements?: number
  sliceBytes?: number
}

/**
 * Parses a large body in slices, with a pause after each. Of what the endpoint does not read or refuses for its length,
 * nothing is kept but names and lengths.
 * @throws as `parseBody` does
 */
export async function parseBodyInSlices(
  bytes: Uint8Array,
  pause: Pause,
  { known, maxElements = Infinity, sliceBytes = SLICE_BYTES }: BodyParsing = {},
): Promise<Fields> {
  if (bytes.length <= sliceBytes) return parseBody(bytes, known)
  const first = bytes.find((byte) => byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9)
  if (first === undefined) throw badJson('the body is empty')
  if (first === 91 || first === 34) throw badShape('', 'expected an object')
  const isWanted = (key: string) => known?.has(key) ?? true
  const parserFor = (key: string): FieldParser => {
    if (!isWanted(key)) return ofFloats
    // One vector has any number of elements; the others are lists of records, vectors, texts or operands.
    return key === 'embedding' ? ofFloats : { ...parserOf(key), keptElements: maxElements + 1 }
  }
  const options = { parserOf: parserFor, parseKey: nativePiece, isWanted, pause, sliceBytes }
  return new Fields(await parseObjectSliced(bytes, options), '', known)
}

function parserOf(key: string): FieldParser {
  if (key === 'embeddings') return ofVectors
  return VECTOR_FIELDS.has(key) ? ofFloats : ofAnything
}

const ofFloats: FieldParser = { parse: nativePiece, object: (entries) => Object.fromEntries(entries) }

/** Lists of numbers take half the memory as what they become anyway, and the garbage collector need not look into them. */
const ofVectors: FieldParser = { ...ofFloats, element: asVector }

function asVector(json: unknown): unknown {
  if (!Array.isArray(json) || json.length === 0 || !json.every((number) => typeof number === 'number')) return json
  return Float32Array.from(json)
}

/** The class of objects tells how all numbers of a field were parsed, so one that needs it makes all exact. */
const ofAnything: FieldParser = {
  parse: (text) => {
    if (NEEDS_EXACT_PARSER.test(text)) throw new NeedsOtherParser(exact)
    return nativePiece(text)
  },
  object: (entries) => Object.fromEntries(entries),
}

const exact: FieldParser = {
  parse: (text) => {
    checkSurrogates(text)
    return parseExact(text)
  },
  object: (entries) => new Map(entries),
}

function nativePiece(text: string): unknown {
  checkSurrogates(text)
  return JSON.parse(text)
}

function checkSurrogates(text: string): void {
  if (hasLoneSurrogate(text)) throw badJson('a string has an unpaired surrogate')
}

/**
 * @param known the fields that the endpoint reads
 * @throws SiltstoneError `invalid` (bad-json) when the body is not JSON, ApiProblem 422 when it is not an object
 */
export function parseBody(bytes: Uint8Array, known?: ReadonlySet<string>): Fields {
  const text = decode(bytes)
  checkSurrogates(text)
  const cuts = splitObject(text)
  if (cuts === undefined) throw notAnObject(text)
  const values = new Map<string, unknown>()
  for (const [key, cut] of cuts) values.set(key, parseField(key, cut, text))
  return new Fields(values, '', known)
}

/** Vectors have only floats, and of searches, in which vectors stand, only filters tell integers from floats. */
function needsExactParser(key: string, text: string): boolean {
  if (VECTOR_FIELDS.has(key) || !NEEDS_EXACT_PARSER.test(text)) return false
  // A name may be written with escapes.
  return key !== 'searches' || text.includes('"filter"') || text.includes('\\')
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
    return needsExactParser(key, cut) ? parseExact(cut) : (JSON.parse(cut) as unknown)
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
