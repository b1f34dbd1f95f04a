/**
 * Chroma's v2 HTTP API over an engine. The steps of a request: trace → access → body → handler → answer. `problem.ts`
 * turns every error into an answer.
 */
import { yieldToEventLoop } from '#codec'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { getPathNoStrict } from 'hono/utils/url'
import { outcomeUnknown, unavailable } from '../errors.ts'
import { authorize, checkWritable } from './access.ts'
import { isFromPage, refusalOf } from './browser-guard.ts'
import { forbidden } from './call.ts'
import { docsPage } from './docs-page.ts'
import { Fields } from './wire/fields.ts'
import { answerBody } from './wire/answer-body.ts'
import { BodyBudget, type BodyReservation } from './wire/body-budget.ts'
import { parseBodyInSlices, readBody } from './wire/json-body.ts'
import { openApiDocument } from './openapi.ts'
import { fieldsOf } from './openapi-schemas.ts'
import { type ChromaLimits, type ChromaOptions, defaultLimits } from './options.ts'
import { ApiProblem, errorAnswer, errorResponse } from './wire/problem.ts'
import type { Answer, Call, Route } from './route.ts'
import { routes } from './routes/table.ts'

const ANSWER_HEADERS = [
  'chroma-trace-id',
  'retry-after',
  'x-siltstone-version',
  'x-siltstone-page-token',
  'x-siltstone-error',
  'x-siltstone-explain',
]

/**
 * @param more endpoints besides Chroma's
 * @returns an app whose `fetch(request)` answers requests without a socket
 */
export function createChromaApp(options: ChromaOptions, more: readonly Route[] = []): Hono {
  const all = [...routes, ...more]
  const patterns = patternsOf(all)
  const limits: ChromaLimits = { ...defaultLimits, ...options.limits }
  const bodies = new BodyBudget(limits.maxBodiesBytes)
  // /api/v2/ equals /api/v2.
  const { corsOrigins = [], pathOf = getPathNoStrict, basePath = '' } = options
  const app = new Hono({ getPath: pathOf })
  app.use(async (c, next) => {
    const refusal = refusalOf(c.req.method, (name) => c.req.header(name), options)
    if (refusal) throw forbidden(refusal.code, `${refusal.problem}. ${refusal.remedy}`)
    await next()
  })
  if (corsOrigins.length > 0) {
    app.use(
      cors({ origin: corsOrigins.includes('*') ? '*' : [...corsOrigins], exposeHeaders: ANSWER_HEADERS, maxAge: 600 }),
    )
  }
  for (const route of all) {
    app.on(route.method, honoPath(route.path), (c) => serve(c, route, options, limits, bodies))
  }
  const document = JSON.stringify(openApiDocument(all, basePath))
  app.get('/openapi.json', (c) => c.body(document, 200, { 'content-type': 'application/json' }))
  app.get('/docs', (c) => {
    // The page links relatively.
    if (new URL(c.req.url).pathname.endsWith('/')) return c.redirect('../docs')
    return c.html(docsPage(all), 200, {
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
    })
  })
  app.all('/api/v1/*', () => errorResponse(V1, traceIdOf(options)))
  app.notFound((c) => unmatched(c, options, patterns))
  app.onError((error, c) => failureResponse(error, c.req.method, c.req.path, options))
  return app
}

const V1 = {
  status: 410,
  name: 'Unimplemented',
  message: 'The v1 API is deprecated. Please use /v2 apis',
  code: 'v1',
} as const

function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

async function serve(
  c: Context,
  route: Route,
  options: ChromaOptions,
  limits: ChromaLimits,
  bodies: BodyBudget,
): Promise<Response> {
  const { clock, metrics, tracer } = options
  const startedMs = clock.monotonicMs()
  const run = () => answer(c, route, options, limits, bodies)
  const note = {
    method: route.method,
    route: route.path,
    operation: route.operation,
    header: (name: string) => c.req.header(name),
  }
  const response = await (tracer === undefined ? run() : tracer.around(note, run))
  const durationMs = clock.monotonicMs() - startedMs
  const labels = { method: route.method, route: route.path, status: String(response.status) }
  metrics.observe('request_duration', durationMs, labels)
  options.log.debug('request', { ...labels, operation: route.operation, durationMs })
  return response
}

async function answer(
  c: Context,
  route: Route,
  options: ChromaOptions,
  limits: ChromaLimits,
  bodies: BodyBudget,
): Promise<Response> {
  try {
    const header = (name: string) => c.req.header(name)
    const param = (name: string) => c.req.param(name)
    const identity = await authorize(route, options, header, param)
    checkWritable(route, options)
    checkBodyType(c.req.raw, header)
    const reservation = bodies.open()
    const call: Call = {
      options,
      limits,
      identity,
      param: (name) => param(name) ?? '',
      query: (name) => c.req.query(name),
      header,
      body: () => bodyOf(c, route, limits, reservation),
    }
    return successResponse(route, await withTimeout(route, () => handled(route, call, reservation), options, limits))
  } catch (error) {
    return failureResponse(error, route.method, route.path, options)
  }
}

function successResponse(route: Route, { status, text, version, headers }: Answer): Response {
  return new Response(answerBody(text, yieldToEventLoop), {
    status: status ?? route.status ?? 200,
    headers: {
      'content-type': 'application/json',
      ...(version !== undefined && { 'x-siltstone-version': String(version) }),
      ...headers,
    },
  })
}

/** Of every request that has a body or announces a type, also where the endpoint reads no body. */
function checkBodyType(request: Request, header: Call['header']): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const type = header('content-type')
  if (type === undefined) {
    // A page can send a body without a type to another site. Programs may leave the type out, like in Chroma.
    if (!isFromPage(header) || !hasBody(request, header)) return
    throw badType('no Content-Type')
  }
  if (!JSON_TYPE.test(type)) throw badType(`the Content-Type '${type.slice(0, 60)}'`)
  const encoding = header('content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    // A few kilobytes could expand to gigabytes.
    const message = `Content-Encoding ${encoding.slice(0, 60)} is not accepted: send the body without an encoding`
    throw new ApiProblem(415, 'ChromaError', 'content-encoding', message)
  }
}

/**
 * A request has a body if it announces one (RFC 9112, section 6.3). `request.body` alone does not tell: behind a socket it is
 * a stream for every DELETE and PATCH, and browsers send those without Content-Length when they have no body.
 */
function hasBody(request: Request, header: Call['header']): boolean {
  if (request.body === null) return false
  return Number(header('content-length') ?? 0) > 0 || header('transfer-encoding') !== undefined
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

function badType(found: string): ApiProblem {
  const message = `Expected request with \`Content-Type: application/json\`, not ${found}`
  return new ApiProblem(415, 'ChromaError', 'content-type', message)
}

async function bodyOf(c: Context, route: Route, limits: ChromaLimits, reservation: BodyReservation): Promise<Fields> {
  const bytes = await readBody(c.req.raw, limits.maxBodyBytes, reservation)
  if (bytes.length === 0 && route.isBodyOptional === true) return new Fields(new Map(), '')
  const { maxIds, maxRecords, maxOperands, maxResults } = limits
  const maxElements = Math.max(maxIds, maxRecords, maxOperands, maxResults)
  return parseBodyInSlices(bytes, yieldToEventLoop, { known: fieldsOf(route.body), maxElements })
}

/** The body is in memory until the work is done, which may take longer than the request. */
async function handled(route: Route, call: Call, reservation: BodyReservation): Promise<Answer> {
  try {
    return await route.handle(call)
  } finally {
    reservation.release()
  }
}

/** Answers with an error when the time is up. The work continues, so a write may still happen. */
function withTimeout(route: Route, work: () => Promise<Answer> | Answer, options: ChromaOptions, limits: ChromaLimits) {
  return new Promise<Answer>((resolve, reject) => {
    const { requestTimeoutMs } = limits
    const cancel = options.clock.timer(requestTimeoutMs, () => {
      const text = `The request took longer than ${requestTimeoutMs} ms`
      const isRead = route.access === 'read' || route.access === 'open'
      reject(isRead ? unavailable('request-timeout', text) : outcomeUnknown('request-timeout', text))
    })
    // oxlint-disable-next-line promise/prefer-await-to-then -- a race that leaves no timer behind
    Promise.resolve().then(work).then(resolve, reject).finally(cancel)
  })
}

function failureResponse(error: unknown, method: string, route: string, options: ChromaOptions): Response {
  const traceId = traceIdOf(options)
  const answer = errorAnswer(error)
  const fields = { method, route, traceId, status: answer.status, code: answer.code }
  // This layer creates an `ApiProblem` only for errors of the client, even where Chroma answers 500.
  if (answer.status === 500 && !(error instanceof ApiProblem)) options.log.error('request_failed', { ...fields, error })
  else if (answer.status === 503 || answer.status === 429) options.log.warn('request_refused', { ...fields, error })
  if (answer.status === 413) return plainText(answer.message, 413, traceId)
  return errorResponse(answer, traceId)
}

function plainText(text: string, status: number, traceId: string): Response {
  return new Response(answerBody(text, yieldToEventLoop), {
    status,
    headers: { 'content-type': 'text/plain', 'chroma-trace-id': traceId },
  })
}

/** 404 and 405 have no body. */
function unmatched(c: Context, options: ChromaOptions, patterns: ReturnType<typeof patternsOf>): Response {
  const methods = new Set(patterns.filter(({ pattern }) => pattern.test(c.req.path)).map(({ method }) => method))
  const headers: Record<string, string> = { 'chroma-trace-id': traceIdOf(options) }
  if (methods.size === 0) return new Response(null, { status: 404, headers })
  return new Response(null, { status: 405, headers: { ...headers, allow: [...methods].join(', ') } })
}

function patternsOf(all: readonly Route[]) {
  return all.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
  }))
}

function traceIdOf({ tracer, ids }: ChromaOptions): string {
  return tracer?.traceId() ?? ids.uuid().replaceAll('-', '')
}
