import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { zipSync } from 'fflate'

/** Packs the archive of a folder for Lambda, as Pulumi does. */
export async function zipFolder(folder: string): Promise<Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files[path.slice(folder.length + 1)] = await readFile(path)
  }
  if (Object.keys(files).length === 0) throw new Error(`${folder} is empty`)
  return zipSync(files)
}
