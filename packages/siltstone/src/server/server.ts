/**
 * The server process: one HTTP listener over one engine.
 *
 * ## Closing
 * Within `closeMs` (5 s). Nothing that was acknowledged can be lost, because it is durable before it is acknowledged.
 * The steps: (1) the listener closes, so no connection is accepted any more; (2) idle connections are closed, every
 * answer from now on says `Connection: close`; (3) requests in flight are finished, and cut off when only a fifth of the
 * time is left: their clients see a broken connection, which leaves a write's outcome open as any broken connection
 * does; (4) the engine stops its background work and is closed. A second call waits for the first.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import { createChromaApp } from '../chroma/app.ts'
import type { ChromaOptions } from '../chroma/options.ts'
import { forbidden, invalid, unavailable } from '../errors.ts'
import { within } from './deadline.ts'
import { tracedEngine } from './traced-engine.ts'
import type { Tracing } from './tracing.ts'
import { urlOf } from './url.ts'

export interface ServerOptions extends Omit<ChromaOptions, 'tracer'> {
  /** Default 127.0.0.1: this machine only. */
  host?: string
  /** Default 8000; 0 takes a free one. */
  port?: number
  /** Shown at /metrics; with authentication to every token for all tenants. */
  openMetrics?: { readonly contentType: string; text(): Promise<string> }
  timeouts?: Partial<ServerTimeouts>
  /** From `startTracing`; stopped after the engine was closed. */
  tracing?: Tracing | undefined
}

export interface ServerTimeouts {
  /** Until a connection's request headers are complete. Default 20 s. */
  headersMs: number
  /** Until a request is complete, body included. Default 120 s. */
  receiveMs: number
  /** An idle connection is kept for so long. Default 65 s, longer than load balancers keep theirs. */
  keepAliveMs: number
  /** Default 5 s. */
  closeMs: number
}

export interface RunningServer {
  /** `http://127.0.0.1:8000` */
  url: string
  port: number
  /** Stops as described above. @throws what closing the engine throws */
  close(): Promise<void>
}

const DEFAULT_TIMEOUTS: ServerTimeouts = { headersMs: 20_000, receiveMs: 120_000, keepAliveMs: 65_000, closeMs: 5_000 }

/** @throws SiltstoneError `unavailable` (port-in-use), `forbidden` (port-forbidden), `invalid` (bad-host) */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 8000, log, clock, engine, tracing } = options
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
  let closing: Promise<void> | undefined
  const app = createApp(options)
  const listener = getRequestListener((request) => app.fetch(request), {
    errorHandler(error) {
      // A request that is no HTTP request after all (host, path); everything else is answered by the app.
      if (error instanceof RequestError) return new Response(null, { status: 400 })
      log.error('request_failed', { error })
      return new Response(null, { status: 500 })
    },
  })
  const server = createServer(
    {
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.receiveMs,
      keepAliveTimeout: timeouts.keepAliveMs,
      // How often Node looks for connections that are over their time; its default of 30 s would be most of it.
      connectionsCheckingInterval: Math.min(5_000, timeouts.headersMs, timeouts.receiveMs),
    },
    // It settles with the answer and never rejects: its errors go to the handler above.
    (incoming, outgoing) => void listener(incoming, outgoing),
  )
  const inFlight = followRequests(server, () => closing !== undefined)
  await listen(server, host, port)
  server.on('error', (error) => log.error('server_error', { error }))
  const url = urlOf(host, portOf(server))
  log.info('server_started', { url })
  if (options.auth === undefined && !isLoopback(host)) {
    log.warn('no_authentication', { url, remedy: 'everybody who reaches this address may do everything: set tokens' })
  }

  const close = async () => {
    const startedMs = clock.monotonicMs()
    const leftMs = () => timeouts.closeMs - (clock.monotonicMs() - startedMs)
    log.info('server_closing', { inFlight: inFlight.size })
    // Also closes idle connections.
    const drained = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const response of inFlight) closeAfter(response)
    if ((await within(clock, timeouts.closeMs * 0.8, drained)) === 'late') {
      log.warn('requests_cut_off', { inFlight: inFlight.size })
      server.closeAllConnections()
    }
    try {
      const engineClosed = await within(clock, leftMs(), engine.close())
      if (engineClosed === 'late') log.warn('engine_still_closing', { closeMs: timeouts.closeMs })
    } finally {
      if (tracing) await within(clock, leftMs(), tracing.stop())
      log.info('server_closed', { durationMs: clock.monotonicMs() - startedMs })
    }
  }

  return { url, port: portOf(server), close: () => (closing ??= close()) }
}

function createApp(options: ServerOptions) {
  const { engine, auth, openMetrics, tracing } = options
  const app = createChromaApp({
    ...options,
    ...(tracing && { engine: tracedEngine(engine, tracing.inSpan), tracer: tracing.requests }),
  })
  if (openMetrics === undefined) return app
  app.get('/metrics', async (c) => {
    // Labels name collections of every tenant.
    if (auth !== undefined && auth.identify((name) => c.req.header(name)).tenants !== '*') {
      throw forbidden('tenant-forbidden', 'Metrics need a token for all tenants')
    }
    return c.body(await openMetrics.text(), 200, { 'content-type': openMetrics.contentType })
  })
  return app
}

/** The answers that are being made. Those that are begun while the server closes end their connection. */
function followRequests(server: Server, isClosing: () => boolean): Set<ServerResponse> {
  const inFlight = new Set<ServerResponse>()
  server.prependListener('request', (_, response) => {
    inFlight.add(response)
    response.once('close', () => inFlight.delete(response))
    if (isClosing()) closeAfter(response)
  })
  return inFlight
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close')
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port))
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      resolve()
    })
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const cause = { cause: error }
  if (error.code === 'EADDRINUSE') {
    return unavailable(
      'port-in-use',
      `Port ${port} of ${host} is in use: stop the other server or choose another port`,
      cause,
    )
  }
  if (error.code === 'EACCES') {
    return forbidden('port-forbidden', `This user may not listen on port ${port}: choose one from 1024 on`, cause)
  }
  return invalid('bad-host', `Cannot listen on ${host}, port ${port}: ${error.message}`, { ...cause, field: 'host' })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
