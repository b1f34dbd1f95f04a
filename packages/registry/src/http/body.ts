/** Bodies of requests, within bounds. */
import type { IncomingMessage } from 'node:http'
import { IncomingBody, invalid, type SiltstoneError } from 'siltstone/internal'
import * as v from 'valibot'

const MAX_JSON_BYTES = 1_000_000

/** @throws SiltstoneError `invalid` (body-too-large) */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of bodyOf(request)) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export async function* bodyOf({ body }: Request): AsyncGenerator<Uint8Array> {
  if (body !== null) yield* body as ReadableStream<Uint8Array>
}

/** Of requests that came over a socket, if nothing of their body was read yet. */
const received = new WeakMap<Request, IncomingMessage>()

/** Lets `passingBody` read the body of a request from its connection. */
export function cameBy(request: Request, incoming: IncomingMessage): Request {
  received.set(request, incoming)
  return request
}

/**
 * A large body, in pieces that are good until the next one is asked for. From a connection it takes half of the time that a stream of the web
 * takes, and leaves nothing to the garbage collector.
 */
export function passingBody(request: Request): AsyncIterable<Uint8Array> {
  const incoming = received.get(request)
  if (incoming === undefined) return bodyOf(request)
  return new IncomingBody(incoming, (cause) =>
    invalid('body-incomplete', 'the connection was closed before the body had ended', { field: 'body', cause }),
  )
}

/** @throws SiltstoneError `invalid` (body-json, body-shape, body-too-large) */
export async function readJson<S extends v.GenericSchema>(request: Request, schema: S): Promise<v.InferOutput<S>> {
  const bytes = await readBytes(request, MAX_JSON_BYTES)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw invalid('body-json', 'the body is no JSON', { field: 'body', cause })
  }
  return check(schema, value)
}

/** @throws SiltstoneError `invalid` (body-shape) */
export function check<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  const path = v.getDotPath(issue) ?? 'body'
  throw invalid('body-shape', `${path}: ${issue.message}`, { field: path })
}

/** Of lines that may each be large; a line break ends one. @throws SiltstoneError `invalid` (body-too-large) */
export async function* linesOf(request: Request, maxLineBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let parts: Uint8Array[] = []
  let sizeBytes = 0
  const take = () => {
    const line = decoder.decode(Buffer.concat(parts))
    parts = []
    sizeBytes = 0
    return line
  }
  for await (const chunk of bodyOf(request)) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end))
      start = end + 1
      yield take()
    }
    const rest = chunk.subarray(start)
    parts.push(rest)
    sizeBytes += rest.length
    if (sizeBytes > maxLineBytes) throw tooLarge(maxLineBytes)
  }
  if (sizeBytes > 0) yield take()
}

const tooLarge = (maxBytes: number): SiltstoneError =>
  invalid('body-too-large', `the body has more than ${maxBytes} bytes`, { field: 'body' })
