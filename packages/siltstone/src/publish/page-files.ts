/** The modules that pages load from the published folder, of the package `@siltstone/reader`. */
import { equalBytes } from '#codec'
import { importIfPresent } from '../host/optional-package.ts'
import type { PublishTarget } from './publish-target.ts'

interface PageFile {
  name: string
  bytes: Uint8Array
}

export interface WrittenPageFiles {
  names: string[]
  /** Parts of earlier versions, which are still there. */
  unused: string[]
  written: number
  writtenBytes: number
}

/** Parts of the modules, whose names hold a hash of their content. */
export const MODULE_PART = /^siltstone-[0-9A-Z]{8}\.js$/

/** Writes those that are not there as they are. @returns undefined when the package is not installed */
export async function writePageFiles(target: PublishTarget): Promise<WrittenPageFiles | undefined> {
  const module = (await importIfPresent('@siltstone/reader', '@siltstone/reader/files')) as
    | { pageFiles: () => Promise<PageFile[]> }
    | undefined
  if (!module) return undefined
  const files = await module.pageFiles()
  const there = new Set(await target.list(''))
  let written = 0
  let writtenBytes = 0
  const isPart = ({ name }: PageFile) => MODULE_PART.test(name)
  // The parts before the modules that import them.
  for (const file of [...files.filter(isPart), ...files.filter((one) => !isPart(one))]) {
    const { name, bytes } = file
    const old = there.has(name) && !isPart(file) ? await target.read(name) : undefined
    if (isPart(file) ? there.has(name) : old && equalBytes(old, bytes)) continue
    await target.write(name, bytes)
    written++
    writtenBytes += bytes.length
  }
  const names = files.map(({ name }) => name)
  return {
    names,
    unused: [...there].filter((name) => MODULE_PART.test(name) && !names.includes(name)),
    written,
    writtenBytes,
  }
}
