/** What `siltstone serve --registry` runs: the registry's HTTP interface on a port of its own, and its maintenance. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { dirname } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import {
  type ArtifactCatalog,
  type Clock,
  environmentVariables,
  forbidden,
  type Identity,
  invalid,
  type Logger,
  type Random,
  readFileText,
  type ServedRegistry,
  type ServeRegistryOptions,
  unavailable,
} from 'siltstone/internal'
import type { Quota } from './accounts/account-documents.ts'
import { secretText } from './accounts/secret.ts'
import { catalogOf } from './catalog.ts'
import { Registry } from './registry.ts'
import { selfCheck } from './self-check.ts'
import { createService, HUB_PATH, type Service } from './service.ts'
import { Sources } from './sources/sources.ts'

export interface RunningRegistry extends ServedRegistry {
  catalog: ArtifactCatalog
  /** What the token of an account may do in the store. */
  identify(token: string): Promise<Identity>
  close(): Promise<void>
}

type Variables = Readonly<Record<string, string | undefined>>

const MAINTAIN_EACH_MS = 60_000
const IDLE_MS = 120_000
const HEADERS_MS = 20_000
const KEEP_ALIVE_MS = 65_000
const CLOSE_MS = 3_000

/** @throws SiltstoneError as `selfCheck`, `unavailable` (port-in-use), `forbidden` (port-forbidden), `invalid` (bad-host, bad-gate) */
export async function serveRegistry(options: ServeRegistryOptions): Promise<RunningRegistry> {
  const { environment, index, host, port, version } = options
  const { store, clock, ids, random, log } = environment
  const variables = environmentVariables()
  await selfCheck(store, ids)
  if (options.fallback !== undefined) log.error('storage_fallback_active', { ...options.fallback })
  const bucket = /^s3:\/\/([^/?]+)/.exec(options.data)?.[1]
  if (bucket !== undefined) log.info(`S3 storage initialized: bucket=${bucket}`)
  const admin = await adminOf(options, variables)
  if (admin === undefined && options.operators === undefined) {
    log.warn('registry_no_admin', {
      remedy: 'set REGISTRY_ADMIN_USER and REGISTRY_ADMIN_PASSWORD: until then nobody can log in',
    })
  }
  const sources = new Sources({ clock, random, hub: hubOf(variables), github: githubOf(variables) })
  const gate = gateOf(variables['REGISTRY_GATE'])
  const quota = quotaOf(variables)
  const upkeep = upkeepOf(options)
  const directDownloads = switchOf(variables, 'REGISTRY_DIRECT_DOWNLOADS', true)
  const registry = new Registry({ store, index, clock, ids, log, sources, gate, quota, upkeep, directDownloads })
  const service = await createService({
    registry,
    clock,
    random,
    log,
    version,
    accounts: { admin, operators: options.operators },
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
    (request, { incoming }) => service.fetch(request, (incoming as IncomingMessage).socket.remoteAddress ?? ''),
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
 * The first admin: `REGISTRY_ADMIN_USER` with `REGISTRY_ADMIN_PASSWORD` or the file of `REGISTRY_ADMIN_PASSWORD_FILE`. A store in a
 * directory or a SQLite file without them gets an admin with a password that is made, and kept in a file that only its owner may read.
 */
async function adminOf(
  { adminFile, environment }: ServeRegistryOptions,
  variables: Variables,
): Promise<{ name: string; password: string; file?: string } | undefined> {
  const name = variables['REGISTRY_ADMIN_USER'] || 'admin'
  const file = variables['REGISTRY_ADMIN_PASSWORD_FILE']
  const password =
    variables['REGISTRY_ADMIN_PASSWORD'] || (file ? (await readFileText(file)).replace(/\r?\n$/, '') : '')
  if (password !== '') return { name, password }
  if (adminFile === undefined) return undefined
  return { ...(await storedAdmin(adminFile, name, environment.random)), file: adminFile }
}

async function storedAdmin(path: string, name: string, random: Random): Promise<{ name: string; password: string }> {
  try {
    await mkdir(dirname(path), { recursive: true })
    const text = JSON.stringify({ name, password: secretText(random) })
    await writeFile(path, `${text}\n`, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) {
      throw unavailable('access-denied', `Cannot write the admin's password to ${path}: set REGISTRY_ADMIN_PASSWORD.`, {
        cause,
      })
    }
  }
  return JSON.parse(await readFile(path, 'utf8')) as { name: string; password: string }
}

/** Where models and datasets come from. `HF_ENDPOINT` is not used: on a client's machine it names this registry. */
function hubOf(variables: Variables) {
  const url = variables['REGISTRY_HUB_URL']
  const token = variables['HF_TOKEN']
  return { ...(url && { url }), ...(token && { token }) }
}

function githubOf(variables: Variables) {
  const url = variables['REGISTRY_GITHUB_URL']
  const apiUrl = variables['REGISTRY_GITHUB_API_URL']
  const token = variables['GITHUB_TOKEN']
  return { ...(url && { url }), ...(apiUrl && { apiUrl }), ...(token && { token }) }
}

/** The eight metrics of the first phase of the contract, each at least one half. */
const ECE461 = {
  ramp_up_time: 0.5,
  bus_factor: 0.5,
  performance_claims: 0.5,
  license: 0.5,
  size_score: 0.5,
  dataset_and_code_score: 0.5,
  dataset_quality: 0.5,
  code_quality: 0.5,
}
const GATED = new Set([...Object.keys(ECE461), 'net_score', 'reproducibility', 'reviewedness', 'tree_score'])

/** `ece461`, or `net_score=0.4,license=0.5`. @throws SiltstoneError `invalid` (bad-gate) */
export function gateOf(text: string | undefined): Record<string, number> | undefined {
  if (text === undefined || text === '') return undefined
  if (text === 'ece461') return ECE461
  const entries = text.split(',').map((part) => {
    const [name = '', value = ''] = part.split('=').map((each) => each.trim())
    const least = Number(value)
    if (GATED.has(name) && value !== '' && least >= 0 && least <= 1) return [name, least] as const
    throw invalid('bad-gate', `REGISTRY_GATE has "${part}": give ece461, or pairs such as net_score=0.4,license=0.5`, {
      field: 'REGISTRY_GATE',
    })
  })
  return Object.fromEntries(entries)
}

/** @throws SiltstoneError `invalid` (bad-switch) */
function switchOf(variables: Variables, name: string, standard: boolean): boolean {
  const text = variables[name] ?? ''
  if (text === '') return standard
  if (/^(?:1|true|yes|on)$/i.test(text)) return true
  if (/^(?:0|false|no|off)$/i.test(text)) return false
  throw invalid('bad-switch', `${name} is "${text.slice(0, 50)}": give 1 or 0`, { field: name })
}

function upkeepOf({ gcHours = 0, keepDays = 0 }: ServeRegistryOptions) {
  if (gcHours === 0) return undefined
  return { everyMs: gcHours * 3_600_000, ...(keepDays > 0 && { keepMs: keepDays * 86_400_000 }) }
}

/** @throws SiltstoneError `invalid` (bad-quota) */
function quotaOf(variables: Variables): Quota | undefined {
  const [artifacts, bytes] = ['REGISTRY_QUOTA_ARTIFACTS', 'REGISTRY_QUOTA_BYTES'].map((name) => {
    const text = variables[name] ?? ''
    if (text === '') return null
    if (/^\d{1,15}$/.test(text)) return Number(text)
    throw invalid('bad-quota', `${name} is "${text.slice(0, 50)}": give a whole number`, { field: name })
  })
  return artifacts == null && bytes == null ? undefined : { artifacts: artifacts ?? null, bytes: bytes ?? null }
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
