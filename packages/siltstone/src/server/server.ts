/**
 * The server process: one HTTP listener over one engine.
 *
 * ## Closing
 * It takes at most `closeMs` (5 s). No acknowledged write can be lost, because writes are durable before they are
 * acknowledged.
 * 1. The listener closes and accepts no more connections.
 * 2. Idle connections are closed; from now on every answer has `Connection: close`.
 * 3. Requests in flight are completed. When only a fifth of the time is left, their connections are closed; like after any
 *    broken connection, the client does not know the outcome of a write.
 * 4. The engine stops its background work and is closed.
 * A second call waits for the first.
 */
import { createServer, type Server, type ServerOptions as HttpOptions, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { getRequestListener, RequestError } from '@hono/node-server'
import { siltstoneRoutes } from '../api/index.ts'
import { createChromaApp } from '../chroma/app.ts'
import { isLoopback } from '../chroma/browser-guard.ts'
import type { ChromaOptions } from '../chroma/options.ts'
import { forbidden, invalid, unavailable } from '../errors.ts'
import { within } from './deadline.ts'
import { type LoadConsole, mountConsole } from './console.ts'
import { forwardedHost } from './forwarded.ts'
import { type McpPackage, mcpRoute, noMcp } from './mcp.ts'
import { pathBelow } from './path-prefix.ts'
import { readTls, renewTls, type TlsFiles, type TlsPair } from './tls.ts'
import { tracedEngine } from './traced-engine.ts'
import type { Tracing } from './tracing.ts'
import { urlOf } from './url.ts'
import { warmUp, type WarmUp } from './warm-up.ts'

export interface ServerOptions extends Omit<ChromaOptions, 'tracer' | 'pathOf'> {
  /** Default 127.0.0.1: only this machine can connect. */
  host?: string
  /** Default 8000; 0 chooses a free port. */
  port?: number
  /** Served at /metrics; with authentication, to tokens for all tenants. */
  openMetrics?: { readonly contentType: string; text(): Promise<string> }
  /** Everything is served below this path, as `pathPrefix` gives it. Default: at the root. */
  pathPrefix?: string
  /** Serves HTTPS instead of HTTP. */
  tls?: TlsFiles
  /** Addresses and networks of proxies, as `proxyAddress` takes them. */
  trustedProxies?: readonly string[]
  /** Loads the web console, which is served at /. Without it, / leads to /docs. */
  console?: LoadConsole
  /** Served at /mcp. */
  mcp?: McpPackage
  timeouts?: Partial<ServerTimeouts>
  /** Answers queries of its own before it listens. Default: none. */
  warmUp?: WarmUp
  /** From `startTracing`; stopped after the engine was closed. */
  tracing?: Tracing | undefined
}

export interface ServerTimeouts {
  /** Until a connection's request headers are complete. Default 20 s. */
  headersMs: number
  /** Until a request is complete, body included. Default 120 s. */
  receiveMs: number
  /** How long an idle connection is kept. Default 65 s, longer than load balancers keep theirs. */
  keepAliveMs: number
  /** Default 5 s. */
  closeMs: number
}

export interface RunningServer {
  /** `http://127.0.0.1:8000`, with the path prefix */
  url: string
  port: number
  /** Reads the certificate again, always. Never rejects; does nothing without TLS. */
  renewCertificate(): Promise<void>
  /** Closes the server as described above. @throws the errors of closing the engine */
  close(): Promise<void>
}

const DEFAULT_TIMEOUTS: ServerTimeouts = { headersMs: 20_000, receiveMs: 120_000, keepAliveMs: 65_000, closeMs: 5_000 }

/**
 * @throws SiltstoneError `unavailable` (port-in-use), `forbidden` (port-forbidden), `invalid` (bad-host, bad-certificate,
 *   bad-key, bad-address), `not-found` (file-missing)
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 8000, log, clock, engine, tracing, tls, pathPrefix = '' } = options
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
  let closing: Promise<void> | undefined
  const app = createApp(options)
  const listener = getRequestListener((request) => app.fetch(request), {
    errorHandler(error) {
      // The host or path of the request is not valid HTTP. The app answers all other requests.
      if (error instanceof RequestError) return new Response(null, { status: 400 })
      log.error('request_failed', { error })
      return new Response(null, { status: 500 })
    },
  })
  const readForwarded = forwardedHost(options.trustedProxies ?? [])
  const pair = tls && (await readTls(tls))
  const server = listenerOf(
    pair,
    {
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.receiveMs,
      keepAliveTimeout: timeouts.keepAliveMs,
      // How often Node checks for connections that exceed a timeout; its default of 30 s is too coarse.
      connectionsCheckingInterval: Math.min(5_000, timeouts.headersMs, timeouts.receiveMs),
    },
    // The promise never rejects: errors go to the handler above.
    (incoming, outgoing) => {
      readForwarded(incoming)
      void listener(incoming, outgoing)
    },
  )
  const inFlight = trackRequests(server, () => closing !== undefined)
  if (options.warmUp) await warmUp(options, options.warmUp)
  await listen(server, host, port)
  server.on('error', (error) => log.error('server_error', { error }))
  const renewal = tls && renewTls(tls, (renewed) => (server as TlsServer).setSecureContext(renewed), { clock, log })
  const url = urlOf(host, portOf(server), tls ? 'https' : 'http') + pathPrefix
  log.info('server_started', { url })
  if (options.auth === undefined && !isLoopback(host)) {
    log.warn('no_authentication', {
      url,
      remedy: 'every client that reaches this address may do everything: set tokens',
    })
  }

  const close = async () => {
    const startedMs = clock.monotonicMs()
    renewal?.stop()
    const leftMs = () => timeouts.closeMs - (clock.monotonicMs() - startedMs)
    log.info('server_closing', { inFlight: inFlight.size })
    // `close` also closes idle connections.
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

  return {
    url,
    port: portOf(server),
    renewCertificate: async () => renewal?.look({ always: true }),
    close: () => (closing ??= close()),
  }
}

function listenerOf(
  pair: TlsPair | undefined,
  options: HttpOptions,
  answer: Parameters<typeof createServer>[1],
): Server {
  if (pair === undefined) return createServer(options, answer)
  return createTlsServer({ ...options, cert: pair.cert, key: pair.key }, answer)
}

function createApp({ pathPrefix = '', ...options }: ServerOptions) {
  const { auth, openMetrics, tracing, mcp } = options
  const chroma: ChromaOptions = {
    ...withHostCheck(options),
    pathOf: pathBelow(pathPrefix),
    basePath: pathPrefix,
    ...(openMetrics && { metricsText: () => openMetrics.text() }),
    ...(tracing && { engine: tracedEngine(options.engine, tracing.inSpan), tracer: tracing.requests }),
  }
  const app = createChromaApp(chroma, siltstoneRoutes)
  app.all('/mcp', mcp === undefined ? noMcp : mcpRoute(mcp, chroma))
  if (openMetrics !== undefined)
    app.get('/metrics', async (c) => {
      // Labels contain the names of all tenants' collections.
      if (auth !== undefined && (await auth.identify((name) => c.req.header(name))).tenants !== '*') {
        throw forbidden('tenant-forbidden', 'Metrics need a token for all tenants')
      }
      return c.body(await openMetrics.text(), 200, { 'content-type': openMetrics.contentType })
    })
  mountConsole(app, options.console ?? (() => Promise.resolve(undefined)), pathPrefix)
  return app
}

/**
 * Without tokens, the address is all that keeps others away, so a page must not get around it by a name that resolves to
 * loopback. With tokens, no page can send requests that are allowed.
 */
function withHostCheck({ allowedHosts, ...options }: ServerOptions): ServerOptions {
  if (options.auth !== undefined) return options
  const hosts = allowedHosts ?? (isLoopback(options.host ?? '127.0.0.1') ? [] : undefined)
  return { ...options, ...(hosts && { allowedHosts: hosts }) }
}

/** Tracks the answers in flight. Answers that start while the server closes end their connection. */
function trackRequests(server: Server, isClosing: () => boolean): Set<ServerResponse> {
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
    return forbidden('port-forbidden', `This user may not listen on port ${port}: choose a port from 1024 on`, cause)
  }
  return invalid('bad-host', `Cannot listen on ${host}, port ${port}: ${error.message}`, { ...cause, field: 'host' })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
