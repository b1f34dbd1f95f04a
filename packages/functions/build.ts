/**
 * Bundles each function into `dist/<name>/index.mjs` and chunks that it loads when they are needed, for Node 24 on arm64 (without
 * native code), and the default embedder into `dist/layer/`. Fails if a bundle is larger than its limit, or imports an optional package at its
 * start. Run `node build.ts`.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { build } from 'esbuild'

const here = import.meta.dirname
const require = createRequire(join(here, '../siltstone/src/index.ts'))
export const FUNCTIONS = ['producer', 'compactor', 'query', 'api', 'ingest', 'media', 'registry'] as const
const MB = 1024 * 1024
/** Of one function. What reads files is twice in `ingest` and `media`: for the function, and for the process that reads. */
const LIMIT_BYTES = {
  producer: 5 * MB,
  compactor: 5 * MB,
  query: 5 * MB,
  api: 5 * MB,
  ingest: 16 * MB,
  media: 16 * MB,
  registry: 5 * MB,
} as const
/** Names that CommonJS packages in the bundle expect. */
const BANNER = `import { createRequire as __createRequire } from 'node:module'
const require = __createRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname`
/** Optional packages, which are loaded by name. */
const OPTIONAL = [
  '@aws-sdk/client-bedrock-runtime',
  '@huggingface/transformers',
  '@opentelemetry/*',
  '@siltstone/transcriber-english',
  'sharp',
]

const out = join(here, 'dist')
rmSync(out, { recursive: true, force: true })
for (const name of FUNCTIONS) {
  const folder = join(out, name)
  await bundle(join(here, 'src', `${name}.ts`), { folder, name: 'index', extension: '.mjs' })
  if (name === 'ingest' || name === 'media') await addReader(folder)
  const sizeBytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
  console.log(`${name}: ${(sizeBytes / 1024 / 1024).toFixed(2)} MB`)
  if (sizeBytes > LIMIT_BYTES[name]) throw new Error(`${name} has ${sizeBytes} bytes, more than ${LIMIT_BYTES[name]}`)
}

/**
 * What is imported by a call becomes a file of its own: Node need not read it at a cold start, which parses all of a file.
 * @throws Error if the bundle would not start where an optional package is missing
 */
async function bundle(
  entry: string,
  { folder, name, extension }: { folder: string; name: string; extension: '.js' | '.mjs' },
): Promise<void> {
  const { metafile } = await build({
    metafile: true,
    entryPoints: [{ in: entry, out: name }],
    outdir: folder,
    outExtension: { '.js': extension },
    chunkNames: `${name}-[hash]`,
    splitting: true,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    conditions: ['import', 'node'],
    mainFields: ['module', 'main'],
    external: OPTIONAL,
    banner: { js: BANNER },
    logLevel: 'warning',
    legalComments: 'none',
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  const needed = imports.filter(
    ({ path, kind, external }) => external === true && kind === 'import-statement' && !isBuiltin(path),
  )
  if (needed.length > 0)
    throw new Error(
      `${basename(folder)} imports ${needed.map(({ path }) => path).join(', ')} at its start: import an optional package by a call, import('…')`,
    )
}

/** The process that reads a file, in which a hostile one does no harm. Its name ends like that of a compiled module. */
async function addReader(folder: string): Promise<void> {
  const processors = dirname(require.resolve('@siltstone/processors/package.json'))
  const entry = join(processors, 'src/isolation/job-main.ts')
  await bundle(entry, { folder, name: 'job-main', extension: '.js' })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n')
}
const model = join(out, 'layer/nodejs/node_modules/@siltstone/embedder-english')
mkdirSync(model, { recursive: true })
const source = dirname(require.resolve('@siltstone/embedder-english/package.json'))
for (const file of ['package.json', 'LICENSE', 'vocab.txt', 'vectors.i8', 'scales.f32'])
  cpSync(join(source, file), join(model, file))
