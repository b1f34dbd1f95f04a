/** The settings of `siltstone serve`, in the order of its help. */
import { REQUEST_LIMITS } from '../../chroma/options.ts'
import { pathPrefix } from '../../server/path-prefix.ts'
import { proxyAddress } from '../../server/forwarded.ts'
import { invalid, isSiltstoneError } from '../../errors.ts'
import { InvalidArgumentError } from 'commander'
import { fraction, limits, port, RECORD_LIMITS, wholeNumber } from '../arguments.ts'
import { DEFAULT_DATA } from '../session.ts'
import { DEFAULT_COMPACTION_MB } from '../../library/compaction-messages.ts'
import type { Setting } from './setting.ts'

const LIMITS = [...REQUEST_LIMITS, ...RECORD_LIMITS]
export type LimitName = (typeof LIMITS)[number]
export const DEFAULT_OBJECTS_PORT = 9_000
export const DEFAULT_REGISTRY_PORT = 9_100

export const SERVE_SETTINGS: readonly Setting[] = [
  {
    key: 'data',
    flags: '--data <place>',
    description: 'the store: a directory, or s3://bucket/prefix',
    shape: 'text',
    default: DEFAULT_DATA,
    isPath: true,
  },
  {
    key: 'host',
    flags: '--host <address>',
    description: 'address to listen on',
    shape: 'text',
    default: '127.0.0.1',
  },
  {
    key: 'port',
    flags: '--port <port>',
    description: '0 chooses a free port',
    shape: 'number',
    parse: port,
    default: 8000,
  },
  {
    key: 'pathPrefix',
    flags: '--path-prefix <path>',
    description: 'serve everything below this path, such as /vectors; /healthz and /readyz stay at the root as well',
    shape: 'text',
    parse: asArgument(pathPrefix),
  },
  {
    key: 'tlsCert',
    flags: '--tls-cert <file>',
    description: 'serve HTTPS with this certificate chain (PEM); it is read again when the file changes, and at SIGHUP',
    shape: 'text',
    isPath: true,
  },
  {
    key: 'tlsKey',
    flags: '--tls-key <file>',
    description: 'private key of the certificate (PEM)',
    shape: 'text',
    isPath: true,
  },
  {
    key: 'trustedProxy',
    flags: '--trusted-proxy <addresses...>',
    description: 'addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-Host stands for Host',
    shape: 'list',
    parse: asArgument(proxyAddress),
  },
  {
    key: 'allowReset',
    flags: '--allow-reset',
    description: 'let clients delete everything with POST /reset',
    shape: 'switch',
  },
  { key: 'readOnly', flags: '--read-only', description: 'refuse writes', shape: 'switch' },
  {
    key: 'tokens',
    flags: '--tokens <file>',
    description: 'JSON list of tokens with role and tenants',
    shape: 'text',
    isPath: true,
    variable: 'SILTSTONE_TOKENS_FILE',
    contentVariable: 'SILTSTONE_TOKENS',
  },
  {
    key: 'cors',
    flags: '--cors <origins...>',
    description: 'origins that browsers may call from; "*" for all',
    shape: 'list',
  },
  {
    key: 'allowedHosts',
    flags: '--allowed-hosts <names...>',
    description: 'without tokens: names besides localhost that requests may have in Host; "*" for all',
    shape: 'list',
  },
  {
    key: 'limit',
    flags: '--limit <limits...>',
    description: 'bounds of requests and records, such as maxIds=200000; see SECURITY.md',
    shape: 'counts',
    parse: (text, before) => limits(LIMITS)(text, before as Partial<Record<LimitName, number>>),
  },
  {
    key: 'logLevel',
    flags: '--log-level <level>',
    description: 'of the log on stderr, one JSON object per line',
    shape: 'text',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
  },
  {
    key: 'console',
    flags: '--no-console',
    description: 'do not serve the web console of the package @siltstone/console at /',
    whenTrue: 'serve the web console of the package @siltstone/console at /',
    shape: 'switch',
    default: true,
  },
  {
    key: 'mcp',
    flags: '--mcp',
    description: 'serve the Model Context Protocol at /mcp; needs the package @siltstone/mcp',
    shape: 'switch',
  },
  {
    key: 'compaction',
    flags: '--no-compaction',
    description: 'leave compaction to other processes',
    whenTrue: 'compact the store beside serving it',
    shape: 'switch',
    default: true,
  },
  {
    key: 'cacheMb',
    flags: '--cache-mb <n>',
    description: 'memory for parsed blocks',
    shape: 'number',
    parse: wholeNumber(1),
    default: 160,
  },
  {
    key: 'compactionMemoryMb',
    flags: '--compaction-memory-mb <n>',
    description: 'memory that compaction may hold, about; with less, folds are smaller and merges more',
    shape: 'number',
    parse: wholeNumber(1),
    default: DEFAULT_COMPACTION_MB,
  },
  {
    key: 'queryThreads',
    flags: '--query-threads <n>',
    description: 'threads that answer queries, each with its own cache',
    shape: 'number',
    parse: wholeNumber(0),
    default: 0,
  },
  {
    key: 'warmUpMs',
    flags: '--warm-up-ms <n>',
    description:
      'with a store on this machine: read ahead and answer queries of its own for at most this long before it listens',
    shape: 'number',
    parse: wholeNumber(0),
    default: 1_000,
  },
  {
    key: 'recallSample',
    flags: '--recall-sample <fraction>',
    description:
      'run this fraction of the queries exactly, too: exports their recall, and corrects how far later queries look',
    shape: 'number',
    parse: fraction,
  },
  {
    key: 'recallAlarm',
    flags: '--recall-alarm <recall>',
    description: 'count and log sampled queries below this recall',
    shape: 'number',
    parse: fraction,
    default: 0.9,
  },
  {
    key: 'objects',
    flags: '--objects',
    description: 'serve S3 over objects in the same directory or account, too (needs @siltstone/objects)',
    shape: 'switch',
  },
  {
    key: 'objectsPort',
    flags: '--objects-port <port>',
    description: 'of S3; 0 chooses a free port',
    shape: 'number',
    parse: port,
    default: DEFAULT_OBJECTS_PORT,
  },
  {
    key: 'objectsBucket',
    flags: '--objects-bucket <names...>',
    description:
      'beside those that clients make: on a directory, buckets to make at the start (default of the first start: media); with a store in a bucket, other buckets of S3 whose objects are served, and made searchable',
    shape: 'list',
  },
  {
    key: 'objectsQueue',
    flags: '--objects-queue <url>',
    description:
      'with a store in a bucket: SQS queue that the notifications of the buckets of objects go to; default: sweeps find what others change',
    shape: 'text',
  },
  {
    key: 'objectsKeys',
    flags: '--objects-keys <file>',
    description: 'JSON list of access keys; default, on a directory: one key that is made and stored',
    shape: 'text',
    isPath: true,
    variable: 'SILTSTONE_OBJECTS_KEYS_FILE',
    contentVariable: 'SILTSTONE_OBJECTS_KEYS',
  },
  {
    key: 'objectsRules',
    flags: '--objects-rules <file>',
    description: 'JSON: which objects are processed, and into which collections',
    shape: 'text',
    isPath: true,
  },
  {
    key: 'objectsProcessing',
    flags: '--no-objects-processing',
    description: 'store objects only; do not make them searchable',
    whenTrue: 'make objects searchable',
    shape: 'switch',
    default: true,
  },
  {
    key: 'registry',
    flags: '--registry',
    description: 'serve a registry of models, datasets and code in the same place, too (needs @siltstone/registry)',
    shape: 'switch',
  },
  {
    key: 'registryPort',
    flags: '--registry-port <port>',
    description: 'of the registry; 0 chooses a free port',
    shape: 'number',
    parse: port,
    default: DEFAULT_REGISTRY_PORT,
  },
  {
    key: 'registryGcHours',
    flags: '--registry-gc-hours <n>',
    description: 'delete contents of files that no version names, each n hours; 0: never',
    shape: 'number',
    parse: wholeNumber(0),
    default: 0,
  },
  {
    key: 'registryKeepDays',
    flags: '--registry-keep-days <n>',
    description: 'with the former: forget versions older than n days that no branch and no tag names; 0: never',
    shape: 'number',
    parse: wholeNumber(0),
    default: 0,
  },
  {
    key: 'registryAccounts',
    flags: '--registry-accounts',
    description: 'Chroma’s API needs a token, too: of an account of the registry, or of --tokens',
    shape: 'switch',
  },
  {
    key: 'allowNetworkFilesystem',
    flags: '--allow-network-filesystem',
    description: 'accept NFS or SMB; then only one machine may open the store',
    shape: 'switch',
  },
  {
    key: 'embedders',
    flags: '--embedders <file>',
    description: 'JSON file that configures embedding providers',
    shape: 'text',
    isPath: true,
  },
]

/** A parser of the server's, whose error becomes a usage error that names the option. */
function asArgument(parse: (text: string) => string): (text: string) => string {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      if (isSiltstoneError(error, 'invalid')) throw new InvalidArgumentError(error.message)
      throw error
    }
  }
}

/** Rules between settings. @returns sentences; empty when all is well */
export function conflictsOf(settings: Readonly<Record<string, unknown>>): Error[] {
  const has = (key: string) => settings[key] !== undefined
  const found: Error[] = []
  for (const [given, missing] of [
    ['tlsCert', 'tlsKey'],
    ['tlsKey', 'tlsCert'],
  ] as const)
    if (has(given) && !has(missing))
      found.push(
        invalid('bad-configuration', `${given} is set, but not ${missing}: HTTPS needs both`, { field: missing }),
      )
  if (Number(settings['registryKeepDays'] ?? 0) > 0 && Number(settings['registryGcHours'] ?? 0) === 0) {
    const text = 'registryKeepDays is set, but not registryGcHours: versions are forgotten by its runs'
    found.push(invalid('bad-configuration', text, { field: 'registryGcHours' }))
  }
  if (settings['registryAccounts'] === true && settings['registry'] !== true) {
    const text = 'registryAccounts is set, but not registry: there are no accounts without it'
    found.push(invalid('bad-configuration', text, { field: 'registry' }))
  }
  return found
}
