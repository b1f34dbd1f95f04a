/** Bundles the reader for pages. The regular expressions of filters are a module of their own, loaded when needed. */
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

/** @param entries files beside this one, by the name of the module */
export async function buildReader(entries: Readonly<Record<string, string>>): Promise<BuiltFile[]> {
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [name, fileURLToPath(new URL(entry, import.meta.url))]),
    ),
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    chunkNames: 'siltstone-[hash]',
    outdir: '/',
    write: false,
    legalComments: 'none',
    plugins: [oneSetOfKernels],
  })
  return outputFiles.map(({ path, contents }) => ({ name: path.slice(1), bytes: contents }))
}

/** What pages load: the search element, and the functions that `pagefind.js` has. */
export function buildPageFiles(): Promise<BuiltFile[]> {
  return buildReader({ 'siltstone-search': './element/main.ts', pagefind: './element/pagefind.ts' })
}
