import type { Command } from 'commander'
import type { Authenticator } from '../../chroma/options.ts'
import type { Embedder } from '../../embed/port.ts'
import { EmbedderRegistry } from '../../embed/registry.ts'
import { EmbeddingStore } from '../../embed/store.ts'
import { StoreEngine } from '../../engine/engine.ts'
import { Compaction } from '../../library/compaction.ts'
import { QueryThreads, withQueryThreads } from '../../library/query-threads.ts'
import { invalid, isSiltstoneError } from '../../errors.ts'
import type { CollectionInfo } from '../../model/collection.ts'
import type { Engine } from '../../model/store.ts'
import type { Environment } from '../../ports/environment.ts'
import { closeEnvironment } from '../../drivers/directory/directory-environment.ts'
import { readFileText } from '../../host/files.ts'
import { systemModels } from '../../host/model-host.ts'
import { isUrl, openEnvironmentAt } from '../../drivers/open-environment.ts'
import { placeFromVariables } from '../../drivers/place-variables.ts'
import { environmentVariables, exitNow, onReloadSignal, onStopSignal } from '../../host/process.ts'
import { importOptional } from '../../host/optional-package.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'
import { tokenAuthenticator } from '../../server/auth.ts'
import { loadConsole } from '../../server/console.ts'
import { loadMcp } from '../../server/mcp.ts'
import { jsonLogger } from '../../server/logging.ts'
import { PrometheusMetrics } from '../../server/metrics.ts'
import { type RunningServer, startServer } from '../../server/server.ts'
import { startTracing } from '../../server/tracing.ts'
import { command } from '../command.ts'
import { readEmbedders } from '../embedders.ts'
import { openPatiently } from '../../ports/open-patiently.ts'
import { Output } from '../output.ts'
import { withOutputOptions } from '../session.ts'
import { configOption, type Resolved, resolveSettings } from '../settings/resolve.ts'
import { conflictsOf, DEFAULT_OBJECTS_PORT, type LimitName, SERVE_SETTINGS } from '../settings/serve-settings.ts'
import { optionOf, type Variables } from '../settings/setting.ts'
import {
  loadRegistry,
  logLevelFrom,
  placeFromSwitches,
  registryOptions,
  type RegistryServeOptions,
  type ServedRegistry,
  type ServeRegistry,
} from './serve-registry.ts'

const MB = 1024 * 1024
/** The process ends this long after SIGTERM at the latest. */
const STOP_WITHIN_MS = 5_000

export interface ServeOptions extends RegistryServeOptions {
  data: string
  host: string
  port: number
  pathPrefix?: string
  tlsCert?: string
  tlsKey?: string
  trustedProxy?: string[]
  allowReset?: boolean
  readOnly?: boolean
  tokens?: string
  cors?: string[]
  allowedHosts?: string[]
  limit?: Partial<Record<LimitName, number>>
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  compaction: boolean
  cacheMb: number
  compactionMemoryMb?: number
  queryThreads: number
  recallSample?: number
  recallAlarm?: number
  allowNetworkFilesystem?: boolean
  console: boolean
  mcp?: boolean
  objects?: boolean
  objectsPort?: number
  objectsKeys?: string
  objectsRules?: string
  objectsProcessing?: boolean
  embedders?: string
  json?: boolean
}

export function serveCommand(): Command {
  const made = command('serve', 'serve Chroma’s HTTP API over a store, and compact it', [
    'serve --data ./data --port 8000',
    'serve --data s3://my-bucket/store',
    'serve --data ./data --host 0.0.0.0 --tokens tokens.json --cors https://app.example',
    'serve --config /etc/siltstone/siltstone.json',
  ])
  return withServeSettings(withOutputOptions(made)).action(async (_, command: Command) => {
    const { json = false } = command.opts<Pick<ServeOptions, 'json'>>()
    await serve({ ...(await serveOptionsOf(command, environmentVariables())), json })
  })
}

/** Adds the settings of a server, and `--config`. */
export function withServeSettings(command: Command): Command {
  for (const setting of SERVE_SETTINGS) command.addOption(optionOf(setting))
  return command.addOption(configOption())
}

/** @throws SiltstoneError `invalid` (bad-configuration), and as reading the file does: the first problem */
async function serveOptionsOf(command: Command, variables: Variables): Promise<ServeOptions> {
  const { values, problems } = await resolveServeSettings(command, variables)
  const [problem] = problems
  if (problem !== undefined) throw problem
  return values as unknown as ServeOptions
}

/** The settings, and the rules between them. */
export async function resolveServeSettings(command: Command, variables: Variables): Promise<Resolved> {
  const resolved = await resolveSettings(command, SERVE_SETTINGS, variables)
  const stands = (key: string, from: (variables: Variables) => unknown) => {
    if (resolved.sources[key] !== 'default') return
    try {
      const value = from(variables)
      if (value === undefined) return
      resolved.values[key] = value
      resolved.sources[key] = 'environment'
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      resolved.problems.push(error)
    }
  }
  // Names of a bucket that other stacks set.
  stands('data', placeFromVariables)
  // Variables of the registry's guide.
  if (resolved.values['registry'] === true) {
    stands('data', placeFromSwitches)
    stands('logLevel', logLevelFrom)
  }
  resolved.problems.push(...conflictsOf(resolved.values))
  return resolved
}

async function serve(options: ServeOptions): Promise<void> {
  const serving = await startServing(options)
  const out = new Output(options)
  const { url, objects, registry } = serving
  await out.answer({ url, data: options.data, ...(objects && { objects }), ...(registry && { registry }) }, () => {
    const made = objects?.keysFile === undefined ? '' : `, with the access key in ${objects.keysFile}`
    const s3 =
      objects === undefined ? '' : `S3 is at ${objects.url}${made}\nProcessing of objects is ${objects.processing}\n`
    return `Siltstone serves ${options.data} at ${url} (stop with Ctrl-C)\n${s3}${registryLine(registry)}`
  })
  await serving.untilStopped()
}

function registryLine(registry: ServedRegistry | undefined): string {
  if (registry === undefined) return ''
  const made = registry.adminFile === undefined ? '' : `, with the admin in ${registry.adminFile}`
  return `The registry is at ${registry.url}, for clients of the Hub HF_ENDPOINT=${registry.hubUrl}${made}\n`
}

/** What `@siltstone/objects` runs beside the server. */
export interface ServedObjects {
  url: string
  /** The file with the access key that was made because none was configured. */
  keysFile?: string
  /** Whether objects are made searchable: `on`, or `off` and why. */
  processing: string
}

/** Given to `@siltstone/objects`, which this package finds but does not import. */
export interface ServeObjectsOptions {
  data: string
  host: string
  port: number
  /** JSON. */
  keys: string | undefined
  allowNetworkFilesystem: boolean
  environment: Environment
  /** What is made of objects goes to its collections. */
  engine: Engine
  embedderFor: (info: CollectionInfo) => Promise<Embedder>
  processing: boolean
  /** JSON. */
  rules: string | undefined
}

type ServeObjects = (options: ServeObjectsOptions) => Promise<ServedObjects & { close(): Promise<void> }>

export interface Serving {
  url: string
  objects?: ServedObjects
  registry?: ServedRegistry
  /** Resolves after SIGTERM or SIGINT, when everything is closed. */
  untilStopped(): Promise<void>
}

function samplingOf({ recallSample, recallAlarm = 0.9 }: ServeOptions) {
  return recallSample === undefined ? {} : { recallSampling: { share: recallSample, alarmBelow: recallAlarm } }
}

/**
 * Opens the store, starts the server and the compaction thread. Waits while the store cannot be reached.
 * @throws SiltstoneError as their parts do
 */
export async function startServing(options: ServeOptions): Promise<Serving> {
  const serveObjects = options.objects === true ? await loadObjects(options) : undefined
  const serveRegistry = options.registry === true ? await loadRegistry(options.readOnly === true) : undefined
  const log = jsonLogger({ level: options.logLevel })
  const metrics = new PrometheusMetrics()
  const auth = await authenticator(options)
  const mcp = options.mcp === true ? await loadMcp('"siltstone serve --mcp"') : undefined
  const embedders = options.embedders === undefined ? {} : await readEmbedders(options.embedders)
  const allowNetworkFilesystem = options.allowNetworkFilesystem === true
  const readOnly = options.readOnly === true
  const { env, opened } = await openPatiently(
    options.data,
    () => openEngine(options, { log, metrics, allowNetworkFilesystem, readOnly }),
    { clock: systemClock, random: systemRandom, log },
  )
  let server: RunningServer
  let compaction: Compaction | undefined
  let objects: Awaited<ReturnType<ServeObjects>> | undefined
  let artifacts: Awaited<ReturnType<ServeRegistry>> | undefined
  try {
    const threads =
      options.queryThreads > 0 &&
      new QueryThreads({
        place: options.data,
        allowNetworkFilesystem,
        blockCacheBytes: options.cacheMb * MB,
        threads: options.queryThreads,
        clock: env.clock,
        log,
      })
    const engine = threads ? withQueryThreads(opened, threads) : opened
    const providers = new EmbedderRegistry(
      { ...env, models: systemModels, variables: environmentVariables(), readOnly },
      embedders,
    )
    const embedderFor = async (info: CollectionInfo) =>
      providers.forCollection({
        embeddingFunction: info.configuration['embedding_function'],
        dimension: info.dimension,
      })
    const tracing = await startTracing({ log, environment: environmentVariables() })
    server = await startServer({
      engine,
      clock: env.clock,
      ids: env.ids,
      log,
      metrics,
      openMetrics: metrics,
      maintenance: opened.maintenance,
      host: options.host,
      port: options.port,
      ...(options.pathPrefix !== undefined && { pathPrefix: options.pathPrefix }),
      ...(options.tlsCert !== undefined &&
        options.tlsKey !== undefined && { tls: { certPath: options.tlsCert, keyPath: options.tlsKey } }),
      ...(options.trustedProxy && { trustedProxies: options.trustedProxy }),
      ...(options.console && { console: loadConsole }),
      ...(mcp && { mcp }),
      ...(auth && { auth }),
      ...(options.allowReset && { allowReset: true }),
      ...(options.readOnly && { readOnly: true }),
      ...(options.limit && { limits: options.limit }),
      ...(options.cors && { corsOrigins: options.cors }),
      ...(options.allowedHosts && { allowedHosts: options.allowedHosts }),
      tracing,
      embeddings: {
        store: new EmbeddingStore({ store: env.store, log }),
        embedder: () => providers.default,
      },
      embedderFor,
    })
    objects = await serveObjects?.({
      data: options.data,
      host: options.host,
      port: options.objectsPort ?? DEFAULT_OBJECTS_PORT,
      keys: await objectsKeys(options),
      allowNetworkFilesystem,
      environment: { ...env, log },
      engine: opened,
      embedderFor,
      processing: options.objectsProcessing !== false,
      rules: options.objectsRules === undefined ? undefined : await readFileText(options.objectsRules),
    })
    artifacts = await serveRegistry?.(
      registryOptions(options, { environment: { ...env, log }, engine: opened, embedders: providers }),
    )
    if (options.compaction && !options.readOnly)
      compaction = new Compaction({
        directory: options.data,
        allowNetworkFilesystem,
        clock: env.clock,
        random: env.random,
        log,
        metrics,
        memoryMb: options.compactionMemoryMb,
        onCommit: (path) => void opened.followCommit(path),
      })
  } catch (error) {
    await closeEnvironment(env)
    throw error
  }
  const stopReloading = options.tlsCert === undefined ? () => {} : onReloadSignal(() => void server.renewCertificate())
  const close = async () => {
    stopReloading()
    env.clock.timer(STOP_WITHIN_MS, () => {
      log.error('stop_forced', { afterMs: STOP_WITHIN_MS })
      exitNow(1)
    })
    // These first: they write with the engine, which the server closes.
    await Promise.all([artifacts?.close(), objects?.close()])
    await Promise.all([server.close(), compaction?.close()])
    await closeEnvironment(env)
  }
  const stopped = new Promise<void>((resolve, reject) => {
    onStopSignal(() => void close().then(resolve, reject))
  })
  return {
    url: server.url,
    ...(artifacts && { registry: shown(artifacts) }),
    ...(objects && { objects: servedOf(objects) }),
    untilStopped: () => stopped,
  }
}

const shown = ({ url, hubUrl, adminFile }: ServedRegistry): ServedRegistry => ({
  url,
  hubUrl,
  ...(adminFile !== undefined && { adminFile }),
})

const servedOf = ({ url, keysFile, processing }: ServedObjects): ServedObjects => ({
  url,
  processing,
  ...(keysFile !== undefined && { keysFile }),
})

async function openEngine(options: ServeOptions, environment: Parameters<typeof openEnvironmentAt>[1]) {
  const env = await openEnvironmentAt(options.data, environment)
  try {
    return {
      env,
      opened: await StoreEngine.open({
        env,
        blockCacheBytes: options.cacheMb * MB,
        ...(options.limit && { recordLimits: options.limit }),
        ...samplingOf(options),
      }),
    }
  } catch (error) {
    await closeEnvironment(env)
    throw error
  }
}

export async function authenticator({ tokens }: Pick<ServeOptions, 'tokens'>): Promise<Authenticator | undefined> {
  const text = tokens === undefined ? environmentVariables()['SILTSTONE_TOKENS'] : await readFileText(tokens)
  return text === undefined || text === '' ? undefined : tokenAuthenticator(text)
}

/** @throws SiltstoneError `invalid` (objects-place, objects-read-only), `unsupported` (package-missing, package-broken) */
export async function loadObjects({ data, readOnly }: Pick<ServeOptions, 'data' | 'readOnly'>): Promise<ServeObjects> {
  if (isUrl(data))
    throw invalid(
      'objects-place',
      `--objects serves S3 over a directory, and ${data} is a bucket: its objects have S3 already. Give --data a directory.`,
      { field: '--objects' },
    )
  if (readOnly === true)
    throw invalid(
      'objects-read-only',
      '--objects cannot be combined with --read-only: give keys without write instead.',
      {
        field: '--objects',
      },
    )
  const { serveObjects } = (await importOptional('@siltstone/objects', '"siltstone serve --objects"')) as {
    serveObjects: ServeObjects
  }
  return serveObjects
}

async function objectsKeys({ objectsKeys: file }: ServeOptions): Promise<string | undefined> {
  const text = file === undefined ? environmentVariables()['SILTSTONE_OBJECTS_KEYS'] : await readFileText(file)
  return text === '' ? undefined : text
}
