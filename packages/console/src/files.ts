/**
 * The files of the console, as the server sends them. In the published package they are built; in a clone they are built
 * in memory.
 */
import { readdir, readFile } from 'node:fs/promises'

export interface ConsoleFile {
  /** `index.html`, or a name with a hash of the content. */
  name: string
  type: string
  bytes: Uint8Array
}

const BUILT = new URL('./static/', import.meta.url)
const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

export async function consoleFiles(): Promise<ConsoleFile[]> {
  let names: string[]
  try {
    names = await readdir(BUILT)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const { buildConsole } = await import('./build.ts')
    return (await buildConsole()).map(({ name, bytes }) => ({ name, type: typeOf(name), bytes }))
  }
  return Promise.all(
    names.map(async (name) => ({ name, type: typeOf(name), bytes: await readFile(new URL(name, BUILT)) })),
  )
}

function typeOf(name: string): string {
  return TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}
