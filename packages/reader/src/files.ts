/** The modules for pages, for `siltstone publish`: built ones beside this module in a published package, otherwise built now. */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export interface PageFile {
  name: string
  bytes: Uint8Array
}

const STATIC = fileURLToPath(new URL('./static/', import.meta.url))

/** `siltstone-search.js` defines the element, `pagefind.js` has Pagefind's functions; the others are parts of both. */
export async function pageFiles(): Promise<PageFile[]> {
  const names = await readdir(STATIC).catch((error: unknown) => {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  })
  if (!names) {
    // A variable: published packages have no build, and esbuild.
    const source = './build.ts'
    const { buildPageFiles } = (await import(source)) as { buildPageFiles: () => Promise<PageFile[]> }
    return buildPageFiles()
  }
  return Promise.all(names.map(async (name) => ({ name, bytes: await readFile(STATIC + name) })))
}
