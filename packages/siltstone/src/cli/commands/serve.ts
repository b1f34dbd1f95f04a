import type { Command } from 'commander'
import { Option } from 'commander'
import { type Authenticator, REQUEST_LIMITS } from '../../chroma/options.ts'
import { EmbedderRegistry } from '../../embed/registry.ts'
import { EmbeddingStore } from '../../embed/store.ts'
import { StoreEngine } from '../../engine/engine.ts'
import { Compaction } from '../../library/compaction.ts'
import { QueryThreads, withQueryThreads } from '../../library/query-threads.ts'
import { invalid } from '../../errors.ts'
import type { Environment } from '../../ports/environment.ts'
import { closeEnvironment } from '../../drivers/directory/directory-environment.ts'
import { readFileText } from '../../host/files.ts'
import { systemModels } from '../../host/model-host.ts'
import { isUrl, openEnvironmentAt } from '../../drivers/open-environment.ts'
import { environmentVariables, exitNow, onStopSignal } from '../../host/process.ts'
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
import { fraction, limits, port, RECORD_LIMITS, wholeNumber } from '../arguments.ts'
import { command } from '../command.ts'
import { readEmbedders } from '../embedders.ts'
import { openPatiently } from '../../ports/open-patiently.ts'
import { Output } from '../output.ts'
import { dataOption, withEmbedders, withOutputOptions } from '../session.ts'

const MB = 1024 * 1024
const LIMITS = [...REQUEST_LIMITS, ...RECORD_LIMITS]
type LimitName = (typeof LIMITS)[number]
/** The process ends this long after SIGTERM at the latest. */
const STOP_WITHIN_MS = 5_000
const DEFAULT_OBJECTS_PORT = 9_000

export interface ServeOptions {
  data: string
  host: string
  port: number
  allowReset?: boolean
  readOnly?: boolean
  tokens?: string
  cors?: string[]
  allowedHosts?: string[]
  limit?: Partial<Record<LimitName, number>>
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  compaction: boolean
  cacheMb: number
  queryThreads: number
  recallSample?: number
  recallAlarm?: number
  allowNetworkFilesystem?: boolean
  console: boolean
  mcp?: boolean
  objects?: boolean
  objectsPort?: number
  objectsKeys?: string
  embedders?: string
  json?: boolean
}

export function serveCommand(): Command {
  const made = command('serve', 'serve Chroma’s HTTP API over a store, and compact it', [
    'serve --data ./data --port 8000',
    'serve --data s3://my-bucket/store',
    'serve --data ./data --host 0.0.0.0 --tokens tokens.json --cors https://app.example',
  ])
  return withEmbedders(withOutputOptions(made))
    .addOption(dataOption())
    .addOption(new Option('--host <address>', 'address to listen on').env('SILTSTONE_HOST').default('127.0.0.1'))
    .addOption(new Option('--port <port>', '0 chooses a free port').env('SILTSTONE_PORT').default(8000).argParser(port))
    .option('--allow-reset', 'let clients delete everything with POST /reset')
    .option('--read-only', 'refuse writes')
    .option('--tokens <file>', 'JSON list of tokens with role and tenants (or the variable SILTSTONE_TOKENS)')
    .option('--cors <origins...>', 'origins that browsers may call from; "*" for all')
    .option(
      '--allowed-hosts <names...>',
      'without tokens: names besides localhost that requests may have in Host; "*" for all',
    )
    .option(
      '--limit <limits...>',
      'bounds of requests and records, such as maxIds=200000; see SECURITY.md',
      limits(LIMITS),
    )
    .addOption(
      new Option('--log-level <level>', 'of the log on stderr, one JSON object per line')
        .env('SILTSTONE_LOG_LEVEL')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .option('--no-console', 'do not serve the web console of the package @siltstone/console at /')
    .option('--mcp', 'serve the Model Context Protocol at /mcp; needs the package @siltstone/mcp')
    .option('--no-compaction', 'leave compaction to other processes')
    .option('--cache-mb <n>', 'memory for parsed blocks', wholeNumber(1), 160)
    .option('--query-threads <n>', 'threads that answer queries, each with its own cache', wholeNumber(0), 0)
    .option(
      '--recall-sample <fraction>',
      'run this fraction of the queries exactly, too: exports their recall, and corrects how far later queries look',
      fraction,
    )
    .option('--recall-alarm <recall>', 'count and log sampled queries below this recall', fraction, 0.9)
    .option('--objects', 'serve S3 over objects in the same directory, too (needs @siltstone/objects)')
    .addOption(
      new Option('--objects-port <port>', 'of S3; 0 chooses a free port')
        .env('SILTSTONE_OBJECTS_PORT')
        .default(DEFAULT_OBJECTS_PORT)
        .argParser(port),
    )
    .option(
      '--objects-keys <file>',
      'JSON list of access keys (or the variable SILTSTONE_OBJECTS_KEYS); default: one key that is made and stored',
    )
    .option('--allow-network-filesystem', 'accept NFS or SMB; then only one machine may open the store')
    .action(serve)
}

async function serve(options: ServeOptions): Promise<void> {
  const serving = await startServing(options)
  const out = new Output(options)
  const { url, objects } = serving
  await out.answer({ url, data: options.data, ...(objects && { objects }) }, () => {
    const made = objects?.keysFile === undefined ? '' : `, with the access key in ${objects.keysFile}`
    const s3 = objects === undefined ? '' : `S3 is at ${objects.url}${made}\n`
    return `Siltstone serves ${options.data} at ${url} (stop with Ctrl-C)\n${s3}`
  })
  await serving.untilStopped()
}

/** What `@siltstone/objects` runs beside the server. */
export interface ServedObjects {
  url: string
  /** The file with the access key that was made because none was configured. */
  keysFile?: string
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
}

type ServeObjects = (options: ServeObjectsOptions) => Promise<ServedObjects & { close(): Promise<void> }>

export interface Serving {
  url: string
  objects?: ServedObjects
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
    const registry = new EmbedderRegistry(
      { ...env, models: systemModels, variables: environmentVariables(), readOnly },
      embedders,
    )
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
        embedder: () => registry.default,
      },
      embedderFor: async (info) =>
        registry.forCollection({
          embeddingFunction: info.configuration['embedding_function'],
          dimension: info.dimension,
        }),
    })
    objects = await serveObjects?.({
      data: options.data,
      host: options.host,
      port: options.objectsPort ?? DEFAULT_OBJECTS_PORT,
      keys: await objectsKeys(options),
      allowNetworkFilesystem,
      environment: { ...env, log },
    })
    if (options.compaction && !options.readOnly)
      compaction = new Compaction({
        directory: options.data,
        allowNetworkFilesystem,
        clock: env.clock,
        random: env.random,
        log,
        metrics,
      })
  } catch (error) {
    await closeEnvironment(env)
    throw error
  }
  const close = async () => {
    env.clock.timer(STOP_WITHIN_MS, () => {
      log.error('stop_forced', { afterMs: STOP_WITHIN_MS })
      exitNow(1)
    })
    await Promise.all([server.close(), compaction?.close(), objects?.close()])
    await closeEnvironment(env)
  }
  const stopped = new Promise<void>((resolve, reject) => {
    onStopSignal(() => void close().then(resolve, reject))
  })
  const { url, keysFile } = objects ?? {}
  return {
    url: server.url,
    ...(url !== undefined && { objects: { url, ...(keysFile !== undefined && { keysFile }) } }),
    untilStopped: () => stopped,
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

async function authenticator({ tokens }: ServeOptions): Promise<Authenticator | undefined> {
  const text = tokens === undefined ? environmentVariables()['SILTSTONE_TOKENS'] : await readFileText(tokens)
  return text === undefined || text === '' ? undefined : tokenAuthenticator(text)
}

/** @throws SiltstoneError `invalid` (objects-place, objects-read-only), `unsupported` (package-missing, package-broken) */
async function loadObjects({ data, readOnly }: ServeOptions): Promise<ServeObjects> {
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
