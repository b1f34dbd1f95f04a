/**
 * `npm run build:wasm`: compiles the kernels from AssemblyScript into modules, stored as base64 beside the code that
 * loads them, so that users need no build step and no file lookup: two with all kernels, one for pages with those that
 * a search needs, and one for checksums. `-- --check` only compares.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const folder = fileURLToPath(new URL('../packages/siltstone/src/kernels/wasm/', import.meta.url))
const hostFolder = fileURLToPath(new URL('../packages/siltstone/src/host/', import.meta.url))
const readerFolder = fileURLToPath(new URL('../packages/reader/src/', import.meta.url))

const OPTIONS = ['--runtime', 'stub', '--noAssert', '--importMemory', '--noExportMemory', '-O3', '--converge']
const FEATURES = ['--enable', 'simd', '--enable', 'bulk-memory']

const MODULES = [
  { path: join(folder, 'simd.wasm.ts'), entry: 'index.ts', name: 'SIMD_BASE64', features: [] },
  {
    path: join(folder, 'relaxed-simd.wasm.ts'),
    entry: 'index.ts',
    name: 'RELAXED_SIMD_BASE64',
    features: ['--enable', 'relaxed-simd'],
  },
  { path: join(readerFolder, 'reading.wasm.ts'), entry: 'reading.ts', name: 'READING_BASE64', features: [] },
  { path: join(hostFolder, 'crc64.wasm.ts'), entry: 'crc64.ts', name: 'CRC64_BASE64', features: [] },
]

/** @returns the text of each module's file, by its path */
export async function buildWasm(): Promise<Map<string, string>> {
  const out = mkdtempSync(join(tmpdir(), 'siltstone-wasm-'))
  const files = new Map<string, string>()
  try {
    for (const { path, entry, name, features } of MODULES) {
      const bytes = join(out, `${name}.wasm`)
      const options = [...OPTIONS, ...FEATURES, ...features, '--outFile', bytes]
      const stderr = asc.createMemoryStream()
      const { error } = await asc.main([entry, '--baseDir', join(folder, 'assembly'), ...options], { stderr })
      if (error) throw new Error(`${stderr.toString()}\n${error.message}`, { cause: error })
      files.set(path, moduleText(name, readFileSync(bytes)))
    }
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
  return files
}

function moduleText(name: string, bytes: Buffer): string {
  return `/** Compiled from packages/siltstone/src/kernels/wasm/assembly by \`npm run build:wasm\`. ${bytes.length} bytes. */\nexport const ${name} =\n  '${bytes.toString('base64')}'\n`
}

/** @returns the files whose committed text differs from the compiled sources */
export async function staleWasm(): Promise<string[]> {
  const built = await buildWasm()
  return [...built].filter(([path, text]) => readFileSync(path, 'utf8') !== text).map(([path]) => path)
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const stale = await staleWasm()
    for (const path of stale) console.error(`${path} is not what its sources compile to: npm run build:wasm`)
    process.exitCode = stale.length === 0 ? 0 : 1
  } else for (const [path, text] of await buildWasm()) writeFileSync(path, text)
}
