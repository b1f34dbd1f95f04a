/** Bundles the reader: one module, and one more for the regular expressions of filters, which is loaded when needed. */
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

export interface BuiltFile {
  name: string
  bytes: Uint8Array
}

/**
 * Pages use the kernels that each engine accepts. The others would be a tenth of the bundle for a gain in the last
 * microseconds of a search.
 */
const oneSetOfKernels: Plugin = {
  name: 'one-set-of-kernels',
  setup: (builder) => {
    builder.onLoad({ filter: /[/\\]relaxed-simd\.wasm\.[jt]s$/ }, () => ({
      contents: "export const RELAXED_SIMD_BASE64 = ''",
      loader: 'js',
    }))
  },
}

/** @param entry a file beside this one, `./index.ts` */
export async function buildReader(entry: string, name: string): Promise<BuiltFile[]> {
  const { outputFiles } = await build({
    entryPoints: { [name]: fileURLToPath(new URL(entry, import.meta.url)) },
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    chunkNames: `${name}-[hash]`,
    outdir: '/',
    write: false,
    legalComments: 'none',
    plugins: [oneSetOfKernels],
  })
  return outputFiles.map(({ path, contents }) => ({ name: path.slice(1), bytes: contents }))
}
