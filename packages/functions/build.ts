/**
 * Bundles each function into `dist/<name>/index.mjs`, for Node 24 on arm64 (without native code), and the
 * default embedder into `dist/layer/`. Fails if a bundle is larger than 5 MB. Run `node build.ts`.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'

const here = import.meta.dirname
const require = createRequire(join(here, '../siltstone/src/index.ts'))
export const FUNCTIONS = ['producer', 'compactor', 'query', 'api'] as const
const LIMIT_BYTES = 5 * 1024 * 1024
/** Names that CommonJS packages in the bundle expect. */
const BANNER = `import { createRequire as __createRequire } from 'node:module'
const require = __createRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname`
/** Optional packages, which are loaded by name. */
const OPTIONAL = ['@aws-sdk/client-bedrock-runtime', '@huggingface/transformers', '@opentelemetry/*']

const out = join(here, 'dist')
rmSync(out, { recursive: true, force: true })
for (const name of FUNCTIONS) {
  const folder = join(out, name)
  await build({
    entryPoints: [join(here, 'src', `${name}.ts`)],
    outfile: join(folder, 'index.mjs'),
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
  const sizeBytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
  console.log(`${name}: ${(sizeBytes / 1024 / 1024).toFixed(2)} MB`)
  if (sizeBytes > LIMIT_BYTES) throw new Error(`${name} has ${sizeBytes} bytes; at most ${LIMIT_BYTES} are allowed`)
}
const model = join(out, 'layer/nodejs/node_modules/@siltstone/embedder-english')
mkdirSync(model, { recursive: true })
const source = dirname(require.resolve('@siltstone/embedder-english/package.json'))
for (const file of ['package.json', 'LICENSE', 'vocab.txt', 'vectors.i8', 'scales.f32'])
  cpSync(join(source, file), join(model, file))
