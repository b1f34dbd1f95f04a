/** Bundles the console with esbuild: what the first view needs, and a file for each page that is loaded when it is opened. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export interface BuiltFile {
  name: string
  bytes: Uint8Array
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

export async function buildConsole(): Promise<BuiltFile[]> {
  const { outputFiles } = await build({
    entryPoints: { console: file('./main.tsx') },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    splitting: true,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    outdir: '/',
    write: false,
    legalComments: 'none',
    loader: { '.css': 'css' },
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  const assets = outputFiles.map(({ path, contents }) => ({ name: basename(path), bytes: contents }))
  const named = (extension: string) =>
    assets.find(({ name }) => name.startsWith('console-') && name.endsWith(extension))?.name ?? ''
  const page = await readFile(file('./index.html'), 'utf8')
  const html = page.replace('console.js', named('.js')).replace('console.css', named('.css'))
  const icon = await readFile(file('./icon.svg'))
  return [{ name: 'index.html', bytes: new TextEncoder().encode(html) }, { name: 'icon.svg', bytes: icon }, ...assets]
}
