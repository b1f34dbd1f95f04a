/**
 * The S3 face: requests of S3 clients over a blob store.
 *
 * A request is authenticated, and its key's scope is checked, before its body is read, or asked for from a client that waits
 * (`Expect: 100-continue`). Anything that this face does not do is
 * answered 501 in XML, never with success. An error that is not the client's is logged with its cause and answered 500
 * without details.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BlobBuckets, Clock, Ids, Logger } from 'siltstone/internal'
import { type AccessKeys, allows } from './access-keys.ts'
import { authenticate } from './authenticate.ts'
import { storedCors } from './bucket-operations.ts'
import { S3Call } from './call.ts'
import { corsHeaders, preflight } from './cors.ts'
import type { S3Answer } from './object-headers.ts'
import { postObject } from './post-object.ts'
import { operationOf } from './routes.ts'
import { S3Error, s3Error } from './s3-error.ts'
import { header, parameter, s3Request, type S3Request } from './s3-request.ts'
import { readableXml, xmlDocument } from './xml.ts'

export interface S3FaceOptions {
  buckets: BlobBuckets
  keys: AccessKeys
  clock: Clock
  ids: Ids
  log: Logger
  /** See `s3Request`. Default: `localhost`. */
  domains?: readonly string[]
}

export type RequestListener = (incoming: IncomingMessage, outgoing: ServerResponse) => void

export function s3Face(options: S3FaceOptions): RequestListener {
  return (incoming, outgoing) => void serve(options, incoming, outgoing)
}

async function serve(options: S3FaceOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { log, ids } = options
  const requestId = ids.ulid()
  const headers: Record<string, string> = { 'x-amz-request-id': requestId, server: 'Siltstone' }
  let waits = /^100-continue$/i.test(incoming.headers.expect ?? '')
  const invite = () => {
    if (waits) outgoing.writeContinue()
    waits = false
  }
  let answer: S3Answer
  try {
    const request = s3Request(incoming, options.domains ?? ['localhost'], invite)
    Object.assign(headers, await originHeaders(options, request))
    answer = await answerOf(options, request).catch((error: unknown) => errorAnswer(error, request, options, requestId))
  } catch (error) {
    answer = errorAnswer(error, undefined, options, requestId)
  }
  // A client that was not asked for its body may send it or not, so nothing can follow on this connection.
  if (waits) headers['connection'] = 'close'
  else void drain(incoming, options.clock)
  try {
    await send(outgoing, answer, headers, incoming.method === 'HEAD')
  } catch (error) {
    // The client went away, or the object was replaced while it was read: the connection is the only way to say so.
    log.debug('objects_answer_broken', { requestId, error })
    outgoing.destroy()
  }
}

/** Reads the rest of a body that no handler has read: many clients read the answer only after they have sent all of it. */
async function drain(incoming: IncomingMessage, clock: Clock): Promise<void> {
  if (incoming.complete) return
  // A reader that stopped in the middle would take them, and the stream flows only a moment after it is gone.
  incoming.removeAllListeners('data')
  await clock.sleep(0)
  incoming.resume()
}

async function originHeaders({ buckets }: S3FaceOptions, request: S3Request): Promise<Record<string, string>> {
  if (header(request, 'origin') === undefined || request.bucket === undefined || request.method === 'OPTIONS') return {}
  return corsHeaders(request, (await storedCors({ buckets }, request.bucket)) ?? [])
}

async function answerOf(options: S3FaceOptions, request: S3Request): Promise<S3Answer> {
  const { buckets, clock, keys } = options
  if (request.method === 'OPTIONS') {
    if (request.bucket === undefined) throw new S3Error('MethodNotAllowed', 'OPTIONS is not allowed on the service.')
    return preflight(request, (await storedCors({ buckets }, request.bucket)) ?? [])
  }
  if (isPostForm(request)) return postObject(request, { keys, buckets, nowMs: clock.nowMs() })
  const auth = authenticate(request, keys, clock.nowMs())
  const operation = operationOf(request)
  const { verb, on } = operation
  const allowed =
    on === 'each' ||
    // Facts about a bucket, but not its settings, are for every key that may list some of it.
    (on === 'bucket' && verb === 'list'
      ? (auth.key.verbs?.includes('list') ?? true) && allowsBucket(auth.key.buckets, request.bucket)
      : allows(
          auth.key,
          verb,
          request.bucket,
          on === 'key' ? request.key : on === 'prefix' ? (parameter(request, 'prefix') ?? '') : '',
        ))
  if (!allowed) throw new S3Error('AccessDenied', `The access key may not ${verb} here.`)
  return operation.run(new S3Call(request, auth, buckets, clock))
}

const allowsBucket = (buckets: readonly string[] | undefined, bucket: string | undefined): boolean =>
  buckets === undefined || bucket === undefined || buckets.includes(bucket)

function isPostForm(request: S3Request): boolean {
  const type = header(request, 'content-type') ?? ''
  return request.method === 'POST' && request.key === undefined && /^multipart\/form-data/i.test(type)
}

function errorAnswer(
  error: unknown,
  request: S3Request | undefined,
  { log }: S3FaceOptions,
  requestId: string,
): S3Answer {
  const known = s3Error(error)
  if (known === undefined || known.status >= 500)
    log.error('objects_request_failed', { requestId, method: request?.method, path: request?.path, error })
  const shown = known ?? new S3Error('InternalError', 'We encountered an internal error. Please try again.')
  const details = { Message: shown.message, ...shown.details, ...(request && { Resource: request.path }) }
  const readable = Object.entries(details).map(([name, text]) => [name, readableXml(text)])
  const body = xmlDocument('Error', { Code: shown.code, ...Object.fromEntries(readable), RequestId: requestId }, null)
  return { status: shown.status, headers: { ...shown.headers, 'content-type': 'application/xml' }, body }
}

async function send(
  outgoing: ServerResponse,
  { status, headers = {}, body }: S3Answer,
  common: Record<string, string>,
  isHead: boolean,
): Promise<void> {
  const hasNoBody = status === 204 || status === 304
  const text = typeof body === 'string' || body === undefined ? Buffer.from(body ?? '') : undefined
  const length = text !== undefined &&
    !hasNoBody &&
    !('content-length' in headers) && { 'content-length': String(text.length) }
  outgoing.writeHead(status, { ...common, ...headers, ...length })
  if (isHead || hasNoBody) outgoing.end()
  else if (text !== undefined) outgoing.end(text)
  else if (body instanceof Uint8Array) outgoing.end(body)
  else await sendBody(outgoing, body as AsyncIterable<Uint8Array>)
}

/** A chunk is with the system before the next one is asked for: its memory may be used again (`reusesChunks`). */
async function sendBody(outgoing: ServerResponse, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) await sendChunk(outgoing, chunk)
  outgoing.end()
}

/** @throws what broke the connection */
function sendChunk(outgoing: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('the connection was closed'))
    if (outgoing.destroyed) return onClose()
    outgoing.once('close', onClose)
    outgoing.write(chunk, (error) => {
      outgoing.off('close', onClose)
      if (error) reject(error)
      else resolve()
    })
  })
}
