import type { Command } from 'commander'
import type { Authenticator } from '../../chroma/options.ts'
import { EmbedderRegistry } from '../../embed/registry.ts'
import { EmbeddingStore } from '../../embed/store.ts'
import { Background } from '../../engine/background.ts'
import { StoreEngine } from '../../engine/engine.ts'
import { Compaction } from '../../library/compaction.ts'
import { QueryThreads, withQueryThreads } from '../../library/query-threads.ts'
import { isSiltstoneError } from '../../errors.ts'
import type { CollectionInfo } from '../../model/collection.ts'
import { closeEnvironment } from '../../drivers/directory/directory-environment.ts'
import { readFileText } from '../../host/files.ts'
import { systemModels } from '../../host/model-host.ts'
import { inMemory, openEnvironmentAt, schemeAt } from '../../drivers/open-environment.ts'
import { placeFromVariables } from '../../drivers/place-variables.ts'
import { environmentVariables, exitNow, onReloadSignal, onStopSignal } from '../../host/process.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'
import { tokenAuthenticator, withAccounts } from '../../server/auth.ts'
import { loadConsole } from '../../server/console.ts'
import { loadMcp } from '../../server/mcp.ts'
import { jsonLogger } from '../../server/logging.ts'
import { PrometheusMetrics } from '../../server/metrics.ts'
import { type RunningServer, startServer } from '../../server/server.ts'
import { startTracing } from '../../server/tracing.ts'
import type { WarmUp } from '../../server/warm-up.ts'
import { command } from '../command.ts'
import { readEmbedders } from '../embedders.ts'
import { openPatiently } from '../../ports/open-patiently.ts'
import { Output } from '../output.ts'
import { withOutputOptions } from '../session.ts'
import { configOption, type Resolved, resolveSettings } from '../settings/resolve.ts'
import { conflictsOf, type LimitName, SERVE_SETTINGS } from '../settings/serve-settings.ts'
import { optionOf, type Variables } from '../settings/setting.ts'
import { choosePlace, fallbackFromSwitches, logLevelFrom, placeFromSwitches } from './registry-place.ts'
import {
  loadObjects,
  objectsLine,
  objectsOptions,
  type ObjectsServeOptions,
  type ServedObjects,
  type ServeObjects,
  shownObjects,
} from './serve-objects.ts'
import {
  loadRegistry,
  registryLine,
  registryOptions,
  type RegistryServeOptions,
  type ServedRegistry,
  type ServeRegistry,
  shownRegistry,
} from './serve-registry.ts'

const MB = 1024 * 1024
/** The process ends this long after SIGTERM at the latest. */
const STOP_WITHIN_MS = 5_000

export interface ServeOptions extends ObjectsServeOptions, RegistryServeOptions {
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
  warmUpMs: number
  recallSample?: number
  recallAlarm?: number
  allowNetworkFilesystem?: boolean
  console: boolean
  mcp?: boolean
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
    if ((resolved.sources[key] ?? 'default') !== 'default') return
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
    const isByDefault = resolved.sources['data'] === 'default'
    stands('data', placeFromSwitches)
    if (isByDefault && resolved.problems.length === 0) stands('storageFallback', fallbackFromSwitches)
    stands('logLevel', logLevelFrom)
  }
  resolved.problems.push(...conflictsOf(resolved.values))
  return resolved
}

async function serve(options: ServeOptions): Promise<void> {
  const serving = await startServing(options)
  const out = new Output(options)
  const { data, url, objects, registry } = serving
  await out.answer({ url, data, ...(objects && { objects }), ...(registry && { registry }) }, () => {
    return `Siltstone serves ${data} at ${url} (stop with Ctrl-C)\n${objectsLine(objects)}${registryLine(registry)}`
  })
  await serving.untilStopped()
}

export interface Serving {
  /** The place that is served. */
  data: string
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
export async function startServing(wanted: ServeOptions): Promise<Serving> {
  const serveObjects = wanted.objects === true ? await loadObjects(wanted) : undefined
  const registry = wanted.registry === true ? await loadRegistry(wanted.readOnly === true) : undefined
  const log = jsonLogger({ level: wanted.logLevel })
  const { place, fallback } = registry
    ? await choosePlace(wanted.data, wanted.storageFallback ?? [], {
        variables: environmentVariables(),
        log,
        check: registry.selfCheck,
      })
    : { place: wanted.data }
  const options = { ...wanted, data: place }
  const metrics = new PrometheusMetrics()
  const operators = await authenticator(options)
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
  let compaction: Pick<Compaction, 'close'> | undefined
  let objects: Awaited<ReturnType<ServeObjects>> | undefined
  let artifacts: Awaited<ReturnType<ServeRegistry>> | undefined
  try {
    const threads =
      options.queryThreads > 0 &&
      !inMemory(place) &&
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
    objects = await serveObjects?.(
      await objectsOptions(options, {
        environment: { ...env, log },
        engine: opened,
        embedderFor,
        allowNetworkFilesystem,
      }),
    )
    artifacts = await registry?.serveRegistry(
      registryOptions(options, {
        environment: { ...env, log },
        engine: opened,
        embedders: providers,
        fallback,
        operators,
      }),
    )
    const isOpen = operators === undefined && options.registryAccounts !== true
    const accounts = isOpen ? undefined : artifacts
    const auth = accounts ? withAccounts(operators, (token) => accounts.identify(token)) : operators
    // Before the server: while it warms up, the thread loads its modules, which would otherwise slow down the first queries. In memory
    // there is no thread, which would open another memory.
    if (inMemory(place)) compaction = new Background(opened)
    else if (options.compaction && !options.readOnly)
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
      ...(objects && { objects: objects.states }),
      ...(artifacts && { artifacts: artifacts.catalog }),
      ...(auth && { auth }),
      ...(options.allowReset && { allowReset: true }),
      ...(options.readOnly && { readOnly: true }),
      ...(options.limit && { limits: options.limit }),
      ...(options.cors && { corsOrigins: options.cors }),
      // In a bucket it would cost requests.
      ...(schemeAt(place) !== 's3' && options.warmUpMs > 0 && { warmUp: warmUpOf(opened, options) }),
      ...(options.allowedHosts && { allowedHosts: options.allowedHosts }),
      tracing,
      embeddings: {
        store: new EmbeddingStore({ store: env.store, log }),
        embedder: () => providers.default,
      },
      embedderFor,
    })
  } catch (error) {
    await Promise.all([artifacts?.close(), objects?.close(), compaction?.close()])
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
    data: place,
    url: server.url,
    ...(artifacts && { registry: shownRegistry(artifacts) }),
    ...(objects && { objects: shownObjects(objects) }),
    untilStopped: () => stopped,
  }
}

function warmUpOf(engine: StoreEngine, { warmUpMs }: ServeOptions): WarmUp {
  return {
    withinMs: warmUpMs,
    readAhead: (info, isOver) => engine.readAhead(info, isOver),
    vectorsOf: (info, count) => engine.sampleVectors(info, count),
  }
}

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
