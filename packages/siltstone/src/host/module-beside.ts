import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The address of a module that is loaded by its address, so that a bundler does not follow it.
 *
 * @param name relative to the module that asks, without its ending: `./compaction-worker`
 * @param asking `import.meta.url` of the module that asks; its ending is taken: `.ts` from source, `.js` from a build
 * @returns null when there is no such file: the module that asks is part of a bundle
 */
export function moduleBeside(name: string, asking: string): URL | null {
  const url = new URL(`${name}${extname(asking)}`, asking)
  return url.protocol === 'file:' && existsSync(fileURLToPath(url)) ? url : null
}
