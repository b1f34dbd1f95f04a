import type { Logger } from '../../ports/telemetry.ts'

/** The middleware that each request of an SDK client passes through. */
export interface HasMiddleware {
  middlewareStack: object
}

/** The place of a service. The SDK finds missing parts in the shared configuration. */
export interface ServicePlace {
  region?: string
  endpoint?: string
}

export interface ClientOptions {
  log: Logger
  /** The most sockets to one host; further requests wait. Default 128. */
  maxSockets?: number
  /** The time until a request has a connection, including the wait for a free socket. Default 3 s. */
  connectMs?: number
  /** Called with each new client, to add middleware: faults in tests, tracing. */
  onClient?: (client: HasMiddleware) => void
}

const CONNECT_MS = 3_000
/** Less than the 20 s after which S3 closes idle connections, so that few requests are sent on a closing one. */
const IDLE_SOCKET_MS = 15_000

/** The configuration of all clients: one attempt per call, a bounded number of kept sockets, no console output. */
export function clientConfig(place: ServicePlace, options: ClientOptions) {
  const agent = { keepAlive: true, maxSockets: options.maxSockets ?? 128, timeout: IDLE_SOCKET_MS }
  const say = (message: unknown) => options.log.debug('aws_sdk', { message: String(message) })
  const nothing = () => {}
  const logger = { trace: nothing, debug: nothing, info: nothing, warn: say, error: say }
  return {
    maxAttempts: 1,
    ...(place.region !== undefined && { region: place.region }),
    ...(place.endpoint !== undefined && { endpoint: place.endpoint }),
    requestHandler: { connectionTimeout: options.connectMs ?? CONNECT_MS, httpAgent: agent, httpsAgent: agent, logger },
    logger,
  }
}
