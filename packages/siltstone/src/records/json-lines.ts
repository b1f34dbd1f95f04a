/** Records as JSON Lines: one object per line, with `id` and any of `op`, `vector`, `document`, `metadata`, `uri`. */
import { invalid } from '../errors.ts'
import type { Op, RecordOp } from '../model/record.ts'
import type { RecordState } from './apply.ts'
import { type ExactJson, parseExact } from './exact-json.ts'
import { metadataFromJson } from './metadata-json.ts'

const FIELDS = ['id', 'op', 'vector', 'embedding', 'document', 'metadata', 'uri']
const OPS: readonly Op[] = ['add', 'upsert', 'update', 'delete']
const MAX_LINE_BYTES = 16 * 1024 * 1024

/**
 * The lines of a UTF-8 stream without their line ends. Empty lines are skipped but counted.
 * @throws SiltstoneError `invalid` (bad-line)
 */
export async function* lines(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<{ text: string; number: number }> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let number = 0
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    } catch (cause) {
      throw invalid(
        'bad-line',
        `${name} is not UTF-8 after line ${number}; if it is an Arrow file, add --format arrow`,
        {
          cause,
        },
      )
    }
  }
  for await (const chunk of chunks) {
    const parts = (rest + decode(chunk)).split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > MAX_LINE_BYTES)
      throw invalid('bad-line', `${name}: line ${number + parts.length + 1} is longer than ${MAX_LINE_BYTES} bytes`)
    for (const text of parts) {
      number++
      if (text.trim() !== '') yield { text, number }
    }
  }
  rest += decode()
  if (rest.trim() !== '') yield { text: rest, number: number + 1 }
}

/**
 * @param where names the line in messages: `records.jsonl:12`
 * @param defaultOp for lines without `op`
 * @throws SiltstoneError `invalid` (bad-line)
 */
export function recordFromLine(text: string, where: string, defaultOp: Op): RecordOp {
  const bad = (problem: string, cause?: unknown) => invalid('bad-line', `${where}: ${problem}`, { field: where, cause })
  let json: ExactJson
  try {
    json = parseExact(text)
  } catch (error) {
    throw bad(`it is not JSON: ${(error as Error).message}`, error)
  }
  if (!(json instanceof Map)) throw bad('it is not an object; write one object per line: {"id": "1", "document": "…"}')
  for (const name of json.keys())
    if (!FIELDS.includes(name)) throw bad(`unknown field ${JSON.stringify(name)}; use only ${FIELDS.join(', ')}`)
  const id = json.get('id')
  if (typeof id !== 'string' || id === '') throw bad('id is missing; give a string that is not empty')
  const op = json.get('op') ?? defaultOp
  const known = OPS.find((name) => name === op)
  if (!known) throw bad(`op is ${JSON.stringify(op)}; use one of ${OPS.join(', ')}`)
  if (known === 'delete') return { op: known, id, vector: null, document: null, metadata: null, uri: null }
  const vector = json.get('vector') ?? json.get('embedding') ?? null
  return {
    op: known,
    id,
    vector: vector === null ? null : vectorFrom(vector, bad),
    document: textFrom(json.get('document'), 'document', bad),
    metadata: metadataFromJson(json.get('metadata'), `${where}: metadata`, known === 'add' ? 'add' : 'patch', 'exact'),
    uri: textFrom(json.get('uri'), 'uri', bad),
  }
}

function vectorFrom(json: ExactJson, bad: (problem: string) => Error): Float32Array {
  if (!Array.isArray(json) || json.length === 0) throw bad('the vector is not a list of numbers')
  const vector = Float32Array.from(json, (value) =>
    typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN,
  )
  const wrong = vector.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) throw bad(`the vector's element ${wrong} is not a finite 32-bit number`)
  return vector
}

function textFrom(json: ExactJson | undefined, name: string, bad: (problem: string) => Error): string | null {
  if (json === undefined || json === null) return null
  if (typeof json !== 'string') throw bad(`${name} is not a string`)
  return json
}

/** The line of one record, with its end. Fields without a value are left out. */
export function lineFromRecord({ id, vector, document, metadata, uri }: RecordState & { id: string }): string {
  const fields = [`"id":${JSON.stringify(id)}`]
  if (vector !== null) fields.push(`"vector":[${Array.from(vector, shortestDecimal).join(',')}]`)
  if (document !== null) fields.push(`"document":${JSON.stringify(document)}`)
  // Exact JSON text already: parsing it here could only lose digits.
  if (metadata !== null) fields.push(`"metadata":${metadata}`)
  if (uri !== null) fields.push(`"uri":${JSON.stringify(uri)}`)
  return `{${fields.join(',')}}\n`
}

/** The shortest decimal that reads back as the same 32-bit float; nine significant digits always do. */
function shortestDecimal(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  for (let digits = 7; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(Number(value.toPrecision(9)))
}
