/** The modules that pages load from the published folder, of the package `@siltstone/reader`. */
import { importIfPresent } from '../host/optional-package.ts'
import type { PublishTarget } from './publish-target.ts'

interface PageFile {
  name: string
  bytes: Uint8Array
}

/** Parts of the modules, whose names hold a hash of their content. */
const PART = /^siltstone-[0-9A-Z]{8}\.js$/

/** Writes them, and removes parts of earlier versions. @returns their names; undefined when the package is not installed */
export async function writePageFiles(target: PublishTarget): Promise<string[] | undefined> {
  const module = (await importIfPresent('@siltstone/reader', '@siltstone/reader/files')) as
    | { pageFiles: () => Promise<PageFile[]> }
    | undefined
  if (!module) return undefined
  const files = await module.pageFiles()
  const names = files.map(({ name }) => name)
  // The parts before the modules that import them.
  for (const { name, bytes } of files.toSorted((a, b) => Number(PART.test(b.name)) - Number(PART.test(a.name))))
    await target.write(name, bytes)
  for (const name of await target.list('')) if (PART.test(name) && !names.includes(name)) await target.remove(name)
  return names
}
