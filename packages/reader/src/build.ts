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

/** What a published folder never has, so pages do not load it. */
const ABSENT: readonly { module: RegExp; contents: string }[] = [
  // Overlays and the log: a folder has segments alone.
  {
    module: /[/\\]format[/\\]segment[/\\]overlay\.[jt]s$/,
    contents: 'export class OverlayReader {} export const parseOverlayDescriptor = undefined',
  },
  {
    module: /[/\\]records[/\\]apply\.[jt]s$/,
    contents:
      'export const STORED_ROW = {}; export const applyOp = undefined; export const isPatch = () => false; export const metadataOver = (stored) => stored',
  },
  // Columns of texts by themselves: a folder has fragments.
  { module: /[/\\]format[/\\]segment[/\\]blob-reader\.[jt]s$/, contents: 'export class BlobReader {}' },
]

const withoutAbsent: Plugin = {
  name: 'without-absent',
  setup: (builder) => {
    for (const { module, contents } of ABSENT) builder.onLoad({ filter: module }, () => ({ contents, loader: 'js' }))
  },
}

/**
 * @param entries files beside this one, by the name of the module
 * @param isForFolders whether nothing but published folders is read
 */
export async function buildReader(
  entries: Readonly<Record<string, string>>,
  { isForFolders = false } = {},
): Promise<BuiltFile[]> {
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
    plugins: isForFolders ? [oneSetOfKernels, withoutAbsent] : [oneSetOfKernels],
  })
  return outputFiles.map(({ path, contents }) => ({ name: path.slice(1), bytes: contents }))
}

/** What pages load: the search element, and the functions that `pagefind.js` has. */
export function buildPageFiles(): Promise<BuiltFile[]> {
  const entries = { 'siltstone-search': './element/main.ts', pagefind: './element/pagefind.ts' }
  return buildReader(entries, { isForFolders: true })
}
