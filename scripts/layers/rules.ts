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
  ['kernels', 'records', 'cost', 'arrow', 'sort'],
  ['format', 'filter'],
  ['ivf', 'embed'],
  ['snapshot', 'catalog'],
  ['filter-index'],
  ['log'],
  ['query', 'compact'],
  ['gc'],
  ['check'],
  ['engine'],
  ['host'],
  ['drivers/memory', 'drivers/wrappers'],
  ['drivers/directory', 'drivers/aws'],
  ['drivers'],
  ['library', 'ingest', 'export', 'backup'],
  ['index.ts', 'aws.ts', 'embed.ts', 'internal-aws.ts'],
  ['chroma'],
  ['server'],
  ['cli'],
  ['internal.ts'],
]

/** Rooms that do not depend on the engine: they may import only these. */
export const ONLY: ReadonlyMap<string, readonly string[]> = new Map(
  ['host', 'drivers/memory', 'drivers/wrappers', 'drivers/directory', 'drivers/aws', 'drivers'].map((room) => [
    room,
    ['errors.ts', 'version.ts', 'binary-search.ts', 'lru.ts', 'codec', 'model', 'ports', 'host', 'drivers'],
  ]),
)

/**
 * Names that `imports` of packages/siltstone/package.json resolves by runtime, each with its portable module, which
 * represents all of them here. No other import of those modules is allowed.
 */
export const BY_RUNTIME: ReadonlyMap<string, string> = new Map([['#codec', 'codec/portable.ts']])

/** The modules of `BY_RUNTIME` that are only for Node. */
export const NODE_ONLY: readonly string[] = ['codec/node.ts']

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
  'format',
  'filter',
  'ivf',
  'snapshot',
  'filter-index',
  'log',
  'query',
  'embed/english',
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
    rooms: ['host', 'drivers/directory', 'drivers/memory', 'drivers/wrappers', 'drivers/aws'],
  },
  { modules: /^node:http$/, rooms: ['server'] },
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
  { folder: 'packages/simulation/src', imports: ['siltstone', 'siltstone/internal', 'siltstone/testing'] },
  {
    folder: 'packages/emulated-aws/src',
    name: '@siltstone/emulated-aws',
    imports: ['siltstone/internal', 'siltstone/internal/aws'],
  },
  { folder: 'packages/functions', imports: ['siltstone', 'siltstone/aws', 'siltstone/internal'] },
  { folder: 'packages/infra', imports: ['siltstone/aws', 'siltstone/internal'] },
  { folder: 'infra', imports: [] },
  { folder: 'bench', imports: ['siltstone', 'siltstone/aws', 'siltstone/internal', 'siltstone/testing'] },
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
    ],
  },
  { folder: 'scripts', imports: [] },
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
