import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { zipSync } from 'fflate'

/** Packs the archive of a folder for Lambda, as Pulumi does. */
export const zipFolder = (folder: string): Promise<Uint8Array> => zipFolders({ '': folder })

/** @param folders by their place in the archive */
export async function zipFolders(folders: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  for (const [place, folder] of Object.entries(folders)) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      files[join(place, path.slice(folder.length + 1))] = await readFile(path)
    }
  }
  if (Object.keys(files).length === 0) throw new Error(`${Object.values(folders).join(', ')}: there is no file`)
  return zipSync(files)
}
