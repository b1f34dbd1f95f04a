/** Which modules may import which, in the whole repository. `check.ts` applies these rules; ARCHITECTURE.md explains them. */

/**
 * The rooms of `packages/siltstone/src`, from the ground up. A room imports itself and the rows below its own; rooms of
 * one row do not import each other. The first entry that matches a path is its room.
 */
export const ROOMS: readonly (readonly string[])[] = [
  ['errors.ts', 'version.ts', 'binary-search.ts', 'lru.ts', 'memo.ts', 'pacer.ts', 'schema-issue.ts'],
  ['codec'],
  ['model'],
  ['ports'],
  ['kernels', 'records', 'cost', 'arrow', 'sort', 'text'],
  ['format', 'filter'],
  ['ivf', 'embed'],
  ['snapshot', 'catalog'],
  ['filter-index', 'word-index'],
  ['log'],
  ['query', 'compact'],
  ['words'],
  ['search'],
  ['gc'],
  ['check'],
  ['engine'],
  ['host'],
  ['drivers/memory', 'drivers/wrappers', 'drivers/fetch'],
  ['drivers/directory', 'drivers/aws'],
  ['drivers/sqlite'],
  ['drivers'],
  ['library', 'ingest', 'export', 'backup', 'publish'],
  ['reader'],
  [
    'index.ts',
    'aws.ts',
    'embed.ts',
    'embedding-function.ts',
    'passages.ts',
    'reading.ts',
    'page-reading.ts',
    'internal-aws.ts',
  ],
  ['chroma'],
  ['api'],
  ['server'],
  ['cli'],
  ['internal.ts'],
]

/** Rooms that do not depend on the engine: they may import only these. */
export const ONLY: ReadonlyMap<string, readonly string[]> = new Map(
  [
    'host',
    'drivers/memory',
    'drivers/wrappers',
    'drivers/fetch',
    'drivers/directory',
    'drivers/aws',
    'drivers/sqlite',
    'drivers',
  ].map((room) => [
    room,
    ['errors.ts', 'version.ts', 'binary-search.ts', 'lru.ts', 'codec', 'model', 'ports', 'host', 'drivers'],
  ]),
)

/**
 * Names that `imports` of packages/siltstone/package.json resolves by runtime, each with its portable module, which
 * represents all of them here. No other import of those modules is allowed.
 */
export const BY_RUNTIME: ReadonlyMap<string, string> = new Map([
  ['#codec', 'codec/portable.ts'],
  ['#regex', 'filter/engine-lazy.ts'],
])

/** The modules of `BY_RUNTIME` that are only for Node. */
export const NODE_ONLY: readonly string[] = ['codec/node.ts', 'filter/engine-loaded.ts']

/** The code that a read needs. It must run in a browser, so it uses no module and no global of Node. */
export const PORTABLE: readonly string[] = [
  'errors.ts',
  'version.ts',
  'binary-search.ts',
  'lru.ts',
  'memo.ts',
  'pacer.ts',
  'codec',
  'model',
  'ports',
  'kernels',
  'records',
  'arrow',
  'sort',
  'text',
  'format',
  'filter',
  'ivf',
  'snapshot',
  'filter-index',
  'word-index',
  'log',
  'query',
  'words',
  'search',
  'embed/english',
  'catalog/collection-document.ts',
  'catalog/document-codec.ts',
  'catalog/document-types.ts',
  'drivers/fetch',
  'library/arguments.ts',
  'library/check-arguments.ts',
  'library/results.ts',
  'library/search-arguments.ts',
  'library/search-expressions.ts',
  'library/search-result.ts',
  'reader',
  'reading.ts',
  'page-reading.ts',
]

/** Globals that only Node has, or that its types add to the standard ones. */
export const NODE_GLOBALS: readonly string[] = [
  'Buffer',
  'process',
  'global',
  'setImmediate',
  'clearImmediate',
  'require',
  '__dirname',
  '__filename',
  'NodeJS',
]

/** Modules of the machine or the cloud, and the rooms that may import them. */
export const MACHINE: readonly { modules: RegExp; rooms: readonly string[] }[] = [
  {
    modules:
      /^node:(?:fs|fs\/promises|os|net|http|https|child_process|worker_threads|sqlite|timers|timers\/promises|dgram|dns|cluster|readline|readline\/promises)$/,
    rooms: ['host', 'drivers/directory', 'drivers/sqlite', 'drivers/memory', 'drivers/wrappers', 'drivers/aws'],
  },
  { modules: /^node:(?:http|https|net)$/, rooms: ['server'] },
  { modules: /^@(?:aws-sdk|smithy)\//, rooms: ['drivers/aws'] },
]

/**
 * Packages and folders, and the faces of other packages that they may import. Nothing imports another package by a
 * relative path.
 */
export const PACKAGES: readonly { folder: string; name?: string; imports: readonly string[] }[] = [
  { folder: 'packages/siltstone/src', name: 'siltstone', imports: [] },
  {
    folder: 'packages/migrate/src',
    name: '@siltstone/migrate',
    imports: ['siltstone', 'siltstone/aws', 'siltstone/internal'],
  },
  { folder: 'packages/transcriber-english/src', name: '@siltstone/transcriber-english', imports: [] },
  {
    folder: 'packages/processors/src',
    name: '@siltstone/processors',
    imports: ['siltstone/passages', '@siltstone/transcriber-english'],
  },
  { folder: 'packages/mcp/src', name: '@siltstone/mcp', imports: ['siltstone', 'siltstone/internal'] },
  { folder: 'packages/console/src', name: '@siltstone/console', imports: ['siltstone'] },
  { folder: 'packages/site/src', name: '@siltstone/site', imports: ['siltstone/passages'] },
  {
    folder: 'packages/reader/src',
    name: '@siltstone/reader',
    imports: ['siltstone/reading', 'siltstone/page-reading'],
  },
  {
    folder: 'packages/objects/src',
    name: '@siltstone/objects',
    imports: ['siltstone', 'siltstone/aws', 'siltstone/internal', '@siltstone/processors'],
  },
  {
    folder: 'packages/registry/src',
    name: '@siltstone/registry',
    imports: ['siltstone', 'siltstone/internal'],
  },
  { folder: 'packages/simulation/src', imports: ['siltstone', 'siltstone/internal', 'siltstone/testing'] },
  {
    folder: 'packages/emulated-aws/src',
    name: '@siltstone/emulated-aws',
    imports: ['siltstone/internal', 'siltstone/internal/aws'],
  },
  {
    folder: 'packages/functions',
    imports: [
      'siltstone',
      'siltstone/aws',
      'siltstone/internal',
      'siltstone/internal/aws',
      '@siltstone/objects/ingest',
      '@siltstone/registry',
    ],
  },
  {
    folder: 'packages/infra',
    imports: ['siltstone/aws', 'siltstone/internal', '@siltstone/objects/ingest', '@siltstone/registry/keys'],
  },
  { folder: 'infra', imports: [] },
  { folder: 'examples', imports: ['siltstone', 'siltstone/aws', 'siltstone/embedding-function'] },
  {
    folder: 'bench',
    imports: [
      'siltstone',
      'siltstone/aws',
      'siltstone/internal',
      'siltstone/testing',
      '@siltstone/processors',
      '@siltstone/processors/testing',
      '@siltstone/reader',
      '@siltstone/reader/build',
      '@siltstone/registry',
      'siltstone/page-reading',
    ],
  },
  {
    folder: 'test',
    imports: [
      'siltstone',
      'siltstone/aws',
      'siltstone/internal',
      'siltstone/internal/aws',
      'siltstone/testing',
      'siltstone/contracts',
      '@siltstone/emulated-aws',
      '@siltstone/objects',
      '@siltstone/objects/ingest',
      '@siltstone/processors/testing',
      '@siltstone/reader',
      '@siltstone/reader/testing',
      '@siltstone/registry',
      '@siltstone/registry/testing',
      '@siltstone/transcriber-english',
    ],
  },
  {
    folder: 'scripts',
    imports: [
      'siltstone/internal',
      '@siltstone/console',
      '@siltstone/reader/build',
      '@siltstone/transcriber-english',
      '@siltstone/transcriber-english/build',
    ],
  },
]

/** Additional faces that tests may import. */
export const TEST_IMPORTS: readonly string[] = [
  'siltstone',
  'siltstone/internal',
  'siltstone/internal/aws',
  'siltstone/testing',
  'siltstone/testing/cli',
  'siltstone/contracts',
  '@siltstone/emulated-aws',
]

export const MAX_LINES = 400
