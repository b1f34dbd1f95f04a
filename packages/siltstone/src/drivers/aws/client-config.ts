import type { Logger } from '../../ports/telemetry.ts'

/** The chain of steps that every request of a client goes through, as every client of the SDK has it. */
export interface HasMiddleware {
  middlewareStack: object
}

/** Where a service is; what is missing the SDK finds in the shared configuration. */
export interface ServicePlace {
  region?: string
  endpoint?: string
}

export interface ClientOptions {
  log: Logger
  /** Sockets to one host at once; more requests wait for one. Default 128. */
  maxSockets?: number
  /** Until a request has a connection, waiting for a free socket included. Default 3 s. */
  connectMs?: number
  /** Called with every client that is made, to add steps to its chain: faults in tests, tracing. */
  onClient?: (client: HasMiddleware) => void
}

const CONNECT_MS = 3_000
/** Shorter than the 20 s after which S3 closes idle connections, so that we rarely write into a closing one. */
const IDLE_SOCKET_MS = 15_000

/** What all clients share: one try per call, bounded and kept sockets, no words on the console. */
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
