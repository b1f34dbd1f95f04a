/** Reads embeddings: arrays of numbers, or base64 of little-endian 32-bit floats. */
import { invalid, type SiltstoneError } from '../../errors.ts'
import { Pacer, type Pause } from '../../pacer.ts'
import { describe, readList } from './fields.ts'
import { badShape, badValue } from './problem.ts'

const BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0

/** Floats that are read between two pauses. */
const SLICE_FLOATS = 500_000

/**
 * @returns one vector per element, all of the same length; null where the element is null
 * @throws ApiProblem 422 (types), SiltstoneError `invalid` (base64, empty, not finite, lengths that differ)
 */
export async function readVectors(json: unknown, path: string, pause: Pause): Promise<(Float32Array | null)[]> {
  let dimension: number | undefined
  const pacer = new Pacer(SLICE_FLOATS, pause)
  const vectors: (Float32Array | null)[] = []
  for (const [i, element] of readList(json, path).entries()) {
    const vector =
      element === null
        ? null
        : typeof element === 'string'
          ? fromBase64(element)
          : fromNumbers(element, `${path}[${i}]`)
    vectors.push(vector)
    const due = pacer.spend(10 + (vector?.length ?? 0))
    if (due) await due
  }
  for (const vector of vectors) {
    if (vector === null) continue
    if (vector.length === 0) throw badValue(path, 'Each embedding must have at least 1 dimension')
    checkFinite(vector, path)
    dimension ??= vector.length
    if (vector.length !== dimension) {
      throw invalid('mixed-dimensions', 'Inconsistent dimensions in provided embeddings', { field: path })
    }
    const due = pacer.spend(10 + vector.length)
    if (due) await due
  }
  return vectors
}

/** Like `readVectors`, but without null and base64, which Chroma refuses in `query_embeddings`. */
export async function readQueryVectors(json: unknown, path: string, pause: Pause): Promise<Float32Array[]> {
  for (const [i, element] of readList(json, path).entries()) {
    if (!Array.isArray(element))
      throw badShape(`${path}[${i}]`, `invalid type: ${describe(element)}, expected a sequence`)
  }
  return (await readVectors(json, path, pause)) as Float32Array[]
}

/** One vector, as an array of numbers. @throws as `readVectors` */
export function readVector(json: unknown, path: string): Float32Array {
  const vector = fromNumbers(json, path)
  if (vector.length === 0) throw badValue(path, 'Each embedding must have at least 1 dimension')
  checkFinite(vector, path)
  return vector
}

function fromNumbers(json: unknown, path: string): Float32Array {
  // As the parser of large bodies gives it.
  if (json instanceof Float32Array) return json
  if (!Array.isArray(json)) {
    throw badShape(path, `data did not match any variant of untagged enum EmbeddingsPayload (${describe(json)})`)
  }
  const numbers = json as unknown[]
  const vector = new Float32Array(numbers.length)
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]
    if (typeof number === 'number') vector[i] = number
    else if (typeof number === 'bigint') vector[i] = Number(number)
    else throw badShape(`${path}[${i}]`, `invalid type: ${describe(number)}, expected f32`)
  }
  return vector
}

function fromBase64(text: string): Float32Array {
  const sizeBytes = decodedSize(text)
  if (sizeBytes === undefined) throw badBase64('Invalid padding')
  if (sizeBytes % 4 !== 0) throw badBase64(`${sizeBytes} bytes are no whole number of 32-bit floats`)
  const vector = new Float32Array(sizeBytes / 4)
  const bytes = Buffer.from(vector.buffer)
  // The decoder skips other characters, so a wrong one results in missing bytes. It also accepts the URL alphabet.
  if (bytes.write(text, 'base64') !== sizeBytes || text.includes('-') || text.includes('_')) {
    throw badBase64('Invalid byte')
  }
  if (BIG_ENDIAN) bytes.swap32()
  return vector
}

function decodedSize(text: string): number | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return (text.length / 4) * 3 - padding
}

function badBase64(detail: string): SiltstoneError {
  return invalid('bad-base64', `Invalid base64 string: ${detail}`, { field: 'embeddings' })
}

function checkFinite(vector: Float32Array, path: string): void {
  // x − x is 0 for every finite number and NaN for all others, so one test at the end suffices.
  let sum = 0
  for (let i = 0; i < vector.length; i++) sum += (vector[i] as number) - (vector[i] as number)
  if (sum !== 0) throw badValue(path, 'Embeddings must not contain NaN or Infinity values')
}
