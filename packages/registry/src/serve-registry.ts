/** What `siltstone serve --registry` runs: the registry's HTTP interface on a port of its own, and its maintenance. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import * as v from 'valibot'
import {
  type ArtifactCatalog,
  type Clock,
  environmentVariables,
  forbidden,
  type Identity,
  invalid,
  isSiltstoneError,
  type Logger,
  makePrivateFile,
  type Random,
  readFileText,
  type ServedRegistry,
  type ServeRegistryOptions,
  SiltstoneError,
  unavailable,
} from 'siltstone/internal'
import { secretText } from './accounts/secret.ts'
import { cameBy } from './http/body.ts'
import { catalogOf } from './catalog.ts'
import { openService } from './open-service.ts'
import { adminName, configuredAdmin, upkeepOf, type Variables } from './registry-settings.ts'
import { selfCheck } from './self-check.ts'
import { HUB_PATH, type Service } from './service.ts'

export interface RunningRegistry extends ServedRegistry {
  catalog: ArtifactCatalog
  /** What the token of an account may do in the store. */
  identify(token: string): Promise<Identity>
  close(): Promise<void>
}

const MAINTAIN_EACH_MS = 60_000
const IDLE_MS = 120_000
const HEADERS_MS = 20_000
const KEEP_ALIVE_MS = 65_000
const CLOSE_MS = 3_000

const adminSchema = v.object({ name: v.string(), password: v.pipe(v.string(), v.nonEmpty()) })

/** @throws SiltstoneError as `selfCheck`, `unavailable` (port-in-use), `forbidden` (port-forbidden), `invalid` (bad-host, bad-gate) */
export async function serveRegistry(options: ServeRegistryOptions): Promise<RunningRegistry> {
  const { environment, index, host, port, version } = options
  const { store, clock, ids, log } = environment
  const variables = environmentVariables()
  await selfCheck(store, ids)
  if (options.fallback !== undefined) log.error('storage_fallback_active', { ...options.fallback })
  const bucket = /^s3:\/\/([^/?]+)/.exec(options.data)?.[1]
  if (bucket !== undefined) log.info(`S3 storage initialized: bucket=${bucket}`)
  const admin = await adminOf(options, variables)
  const { registry, service } = await openService({
    environment,
    index,
    variables,
    version,
    admin,
    operators: options.operators,
    upkeep: upkeepOf(options),
    ...(options.fallback && { fallback: options.fallback }),
  })
  const server = createServer(
    { headersTimeout: HEADERS_MS, requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS, highWaterMark: 256 * 1024 },
    listenerOf(service, log),
  )
  server.timeout = IDLE_MS
  await listen(server, host, port)
  server.on('error', (error) => log.error('registry_server_error', { error }))
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
  log.info('registry_server_started', { url })
  const stop = maintained(service, clock, log)
  const close = async () => {
    const closed = new Promise<void>((done) => server.close(() => done()))
    const cancel = clock.timer(CLOSE_MS, () => server.closeAllConnections())
    await Promise.all([closed, stop()])
    cancel()
    await service.close()
  }
  let closing: Promise<void> | undefined
  return {
    url,
    hubUrl: `${url}${HUB_PATH}`,
    catalog: catalogOf(registry),
    identify: (token) => service.accounts.identify(token),
    ...(admin?.file !== undefined && { adminFile: admin.file }),
    close: () => (closing ??= close()),
  }
}

function listenerOf(service: Service, log: Logger) {
  const listener = getRequestListener(
    (request, env) => {
      const incoming = env.incoming as IncomingMessage
      return service.fetch(cameBy(request, incoming), incoming.socket.remoteAddress ?? '')
    },
    {
      errorHandler(error) {
        log.error('registry_request_failed', { error })
        return new Response(null, { status: error instanceof Error && error.name === 'RequestError' ? 400 : 500 })
      },
      overrideGlobalObjects: false,
    },
  )
  return (incoming: IncomingMessage, outgoing: Parameters<typeof listener>[1]) => void listener(incoming, outgoing)
}

/**
 * The configured one. A store in a directory or a SQLite file without one gets an admin with a password that is made, and kept in a
 * file that only its owner may read.
 */
async function adminOf(
  { adminFile, environment }: ServeRegistryOptions,
  variables: Variables,
): Promise<{ name: string; password: string; file?: string } | undefined> {
  const configured = await configuredAdmin(variables)
  if (configured !== undefined || adminFile === undefined) return configured
  return { ...(await storedAdmin(adminFile, adminName(variables), environment.random)), file: adminFile }
}

async function storedAdmin(path: string, name: string, random: Random): Promise<{ name: string; password: string }> {
  let text: string
  try {
    await makePrivateFile(path, `${JSON.stringify({ name, password: secretText(random) })}\n`)
    text = await readFileText(path)
  } catch (cause) {
    if (!isSiltstoneError(cause)) throw cause
    const remedy = 'It would keep the password of the admin; REGISTRY_ADMIN_PASSWORD gives one instead.'
    throw new SiltstoneError(cause.kind, cause.code, `${cause.message} ${remedy}`, { cause })
  }
  return adminIn(text, path)
}

/** @throws SiltstoneError `invalid` (bad-admin-file), without the text, which may hold the password */
function adminIn(text: string, path: string): { name: string; password: string } {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), adminSchema), text)
  if (parsed.success) return parsed.output
  throw invalid(
    'bad-admin-file',
    `${path} does not hold the name and the password of the admin: give REGISTRY_ADMIN_PASSWORD, or remove the file and start again, which sets a new password.`,
    { field: 'REGISTRY_ADMIN_PASSWORD' },
  )
}

/** @returns a function that stops, and waits for maintenance that is running */
function maintained(service: Service, clock: Clock, log: Logger): () => Promise<void> {
  let cancel = () => {}
  let running: Promise<void> = Promise.resolve()
  let isStopped = false
  const next = () => {
    cancel = clock.timer(MAINTAIN_EACH_MS, () => {
      running = run().finally(() => {
        if (!isStopped) next()
      })
    })
  }
  const run = async () => {
    try {
      await service.maintain()
    } catch (error) {
      log.error('registry_maintenance_failed', { error })
    }
  }
  next()
  return () => {
    isStopped = true
    cancel()
    return running
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port))
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      done()
    })
  })
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  if (cause.code === 'EADDRINUSE') {
    return unavailable('port-in-use', `Port ${port} of ${host} is in use: choose another with --registry-port.`, {
      cause,
    })
  }
  if (cause.code === 'EACCES') {
    return forbidden('port-forbidden', `This user may not listen on port ${port}: choose a port from 1024 on.`, {
      cause,
    })
  }
  return invalid('bad-host', `Cannot listen on ${host}, port ${port}: ${cause.message}`, { cause, field: 'host' })
}
