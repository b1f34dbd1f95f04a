import { join } from 'node:path'
import { fileInfo, readFileBytes, removeTree, writeFileWhole } from '../host/files.ts'
import { walkDirectory } from '../host/walk-directory.ts'
import type { PublishTarget } from './publish-target.ts'

/** A folder on this machine, which is made when the first file is written. */
export function directoryTarget(directory: string): PublishTarget {
  const pathOf = (name: string) => join(directory, ...name.split('/'))
  return {
    list: async (folder) => {
      if ((await fileInfo(folder === '' ? directory : pathOf(folder))) === undefined) return []
      const names: string[] = []
      const walked = walkDirectory(folder === '' ? directory : pathOf(folder), { enter: () => false })
      for await (const { relativePath } of walked) names.push(`${folder}${relativePath}`)
      return names
    },
    read: async (name) => ((await fileInfo(pathOf(name))) === undefined ? undefined : readFileBytes(pathOf(name))),
    write: (name, bytes) => writeFileWhole(pathOf(name), bytes),
    remove: (name) => removeTree(pathOf(name)),
  }
}
