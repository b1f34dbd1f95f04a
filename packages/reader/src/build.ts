/** Bundles the reader for pages. The regular expressions of filters are a module of their own, loaded when needed. */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { constants, zstdCompressSync } from 'node:zlib'
import { build, type Plugin } from 'esbuild'
import { READING_BASE64 } from './reading.wasm.ts'

export interface BuiltFile {
  name: string
  bytes: Uint8Array
}

/** A module of which pages have another one. */
interface Replaced {
  /** Its path. */
  module: RegExp
  contents: string
}

/**
 * Pages use the kernels that each engine accepts, and of these the ones that a search needs, not those that build an index. The others
 * would be more than a tenth of the bundle for a gain in the last microseconds of a search. Hosts compress Base64 of what is
 * compressed better than Base64 of what is not: 2.7 KB instead of 3.9.
 */
const KERNELS: readonly Replaced[] = [
  {
    module: /[/\\]kernels[/\\]wasm[/\\]modules\.[jt]s$/,
    contents: kernelsModule(Buffer.from(READING_BASE64, 'base64')),
  },
]

function kernelsModule(wasm: Uint8Array): string {
  const { ZSTD_c_compressionLevel: level } = constants
  const packed = zstdCompressSync(wasm, { params: { [level]: 19 } }).toString('base64')
  return `import { fromBase64, zstdDecompress } from '#codec'
    export const MODULES = [{ kind: 'wasm-simd', bytes: () => zstdDecompress(fromBase64('${packed}'), ${wasm.length}) }]`
}

/** What a published folder never has, so pages do not load it. */
const ABSENT: readonly Replaced[] = [
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
  {
    module: /[/\\]log[/\\]log-overlay\.[jt]s$/,
    contents: `export class LogOverlay {
      constructor(base) { this.base = base }
      view() {
        const { base } = this
        const { dimension, liveRecords } = base
        const none = new Map()
        return { base, dimension, liveRecords, get: () => undefined, records: () => [], changedRows: () => none }
      }
    }`,
  },
  { module: /[/\\]query[/\\]changed-vectors\.[jt]s$/, contents: 'export const measureChanged = async () => {}' },
  // Searches in several texts at a time: a search box searches documents.
  { module: /[/\\]words[/\\]fields-cursor\.[jt]s$/, contents: 'export class FieldsCursor {}' },
  // Long lists in parts: a page has so few passages that decoding all of a list takes less than a millisecond.
  {
    module: /[/\\]words[/\\]term-cursor\.[jt]s$/,
    contents: "export { DecodedCursor as TermCursor } from './decoded-cursor'",
  },
  // Look-ups of records by id: a search box asks for none.
  { module: /[/\\]format[/\\]segment[/\\]id-index-reader\.[jt]s$/, contents: 'export class IdIndexReader {}' },
  // What measures recall.
  { module: /[/\\]ivf[/\\]search[/\\]needed-effort\.[jt]s$/, contents: 'export const neededEffort = undefined' },
  // Columns of texts by themselves: a folder has fragments.
  { module: /[/\\]format[/\\]segment[/\\]blob-reader\.[jt]s$/, contents: 'export class BlobReader {}' },
]

const replacing = (modules: readonly Replaced[]): Plugin => ({
  name: 'replacing',
  setup: (builder) => {
    for (const { module, contents } of modules)
      builder.onLoad({ filter: module }, ({ path }) => ({ contents, loader: 'js', resolveDir: dirname(path) }))
  },
})

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
    plugins: [replacing(isForFolders ? [...KERNELS, ...ABSENT] : KERNELS)],
  })
  return outputFiles.map(({ path, contents }) => ({ name: path.slice(1), bytes: contents }))
}

/** Stands in the entries where the names of the modules do that every search needs. */
const MODULES = 'SILTSTONE_MODULES'
/** One function of what searches by words alone. */
const OF_WORDS = '.lengths()'

/** What pages load: the search element, and the functions that `pagefind.js` has. */
export async function buildPageFiles(): Promise<BuiltFile[]> {
  const entries = { 'siltstone-search': './element/main.ts', pagefind: './element/pagefind.ts' }
  const files = await buildReader(entries, { isForFolders: true })
  const texts = new Map(files.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]))
  const graph = new ModuleGraph(texts)
  const isOfWords = (name: string) => [...graph.closure([name])].some((one) => texts.get(one)?.includes(OF_WORDS))
  return files.map((file) => {
    const text = texts.get(file.name) ?? ''
    if (!text.includes(MODULES)) return file
    const reader = graph.lazy(file.name).find((name) => graph.lazy(name).some(isOfWords))
    const words = graph.lazy(reader ?? '').filter(isOfWords)
    // Of the modules that need those of words, the smallest searches; others load more when they are needed.
    const [search = ''] = words.sort(
      (a, b) => graph.closure([a]).size - graph.closure([b]).size || sizeOf(texts, a) - sizeOf(texts, b),
    )
    if (reader === undefined || search === '') throw new Error(`${file.name} loads no reader that searches by words`)
    const needed = graph.closure([reader, search])
    for (const own of graph.closure([file.name])) needed.delete(own)
    return { name: file.name, bytes: new TextEncoder().encode(text.replaceAll(MODULES, [...needed].join(' '))) }
  })
}

const sizeOf = (texts: ReadonlyMap<string, string>, name: string): number => texts.get(name)?.length ?? 0

/** Which of the built modules load which. */
export class ModuleGraph {
  readonly #texts: ReadonlyMap<string, string>

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts
  }

  /** What a module loads when it is needed. */
  lazy(name: string): string[] {
    return [...(this.#texts.get(name) ?? '').matchAll(/import\("\.\/([^"]+)"\)/g)].map(([, path = '']) => path)
  }

  /** Modules, and what is loaded with them. */
  closure(names: readonly string[]): Set<string> {
    const found = new Set<string>()
    const add = (name: string): void => {
      if (found.has(name)) return
      found.add(name)
      for (const [, path = ''] of (this.#texts.get(name) ?? '').matchAll(/(?:from|import)"\.\/([^"]+)"/g)) add(path)
    }
    names.forEach(add)
    return found
  }
}
