import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unavailable, unsupported } from '../errors.ts'
import type { PackageFilesOptions } from '../ports/model-host.ts'

/**
 * Reads files that an installed package exports by name.
 * @throws SiltstoneError `unsupported` (package-missing) when the package or its export is not installed,
 *   `unavailable` (package-file-unreadable) when a file cannot be read
 */
export async function readPackageFiles(
  packageName: string,
  files: readonly string[],
  options: PackageFilesOptions = {},
): Promise<Uint8Array[]> {
  const paths = files.map((file) =>
    options.directory === undefined ? exportedPath(packageName, file) : join(options.directory, file),
  )
  return Promise.all(paths.map((path) => read(path)))
}

function exportedPath(packageName: string, file: string): string {
  try {
    return fileURLToPath(import.meta.resolve(`${packageName}/${file}`))
  } catch (cause) {
    throw unsupported(
      'package-missing',
      `The file ${file} of the package ${packageName} was not found: install it with \`npm install ${packageName}\`.`,
      { cause },
    )
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw unavailable('package-file-unreadable', `Cannot read ${path}: ${(cause as Error).message}.`, { cause })
  }
}
