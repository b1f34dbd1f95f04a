/** A process's listener of the S3 face. */
import { createServer, type Server } from 'node:http'
import { forbidden, invalid, unavailable } from 'siltstone/internal'
import { s3Face, type S3FaceOptions } from './face.ts'

export interface S3ServerOptions extends S3FaceOptions {
  /** Default 127.0.0.1: only this machine can connect. */
  host?: string
  /** Default 9000; 0 chooses a free port. */
  port?: number
}

export interface RunningS3Server {
  /** `http://127.0.0.1:9000` */
  url: string
  port: number
  /** Ends when running requests have ended, after `CLOSE_MS` at the latest. */
  close(): Promise<void>
}

/** A large upload over a slow line takes hours; a client that sends nothing is cut off by the idle limit. */
const IDLE_MS = 120_000
const HEADERS_MS = 20_000
const KEEP_ALIVE_MS = 65_000
const CLOSE_MS = 3_000

/** @throws SiltstoneError `unavailable` (port-in-use), `forbidden` (port-forbidden), `invalid` (bad-host) */
export async function startS3Server(options: S3ServerOptions): Promise<RunningS3Server> {
  const { host = '127.0.0.1', port = 9_000, clock, log } = options
  const listener = s3Face(options)
  const server = createServer(
    { headersTimeout: HEADERS_MS, requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS, highWaterMark: 256 * 1024 },
    listener,
  )
  server.timeout = IDLE_MS
  // Without it, Node asks for every body at once.
  server.on('checkContinue', listener)
  // Like S3, which ignores an expectation that it does not know; Node answers 417.
  server.on('checkExpectation', listener)
  await listen(server, host, port)
  server.on('error', (error) => log.error('objects_server_error', { error }))
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
  log.info('objects_server_started', { url })
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    const cancel = clock.timer(CLOSE_MS, () => server.closeAllConnections())
    await closed
    cancel()
  }
  let closing: Promise<void> | undefined
  return { url, port: bound, close: () => (closing ??= close()) }
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

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  if (cause.code === 'EADDRINUSE')
    return unavailable('port-in-use', `Port ${port} of ${host} is in use: choose another with --objects-port.`, {
      cause,
    })
  if (cause.code === 'EACCES')
    return forbidden('port-forbidden', `This user may not listen on port ${port}: choose a port from 1024 on.`, {
      cause,
    })
  return invalid('bad-host', `Cannot listen on ${host}, port ${port}: ${cause.message}`, { cause, field: 'host' })
}
