import type { Dirent, Stats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError, isMissing } from './file-errors.ts'

export interface WalkedFile {
  path: string
  /** Relative to the walked directory, with slashes. */
  relativePath: string
  sizeBytes: number
  modifiedMs: number
}

export interface WalkOptions {
  /** Whether to enter a directory. Default: all are entered. */
  enter?: (relativePath: string) => boolean
  /** Called for each file that cannot be read, which is then left out. Default: the walk throws a SiltstoneError. */
  onError?: (path: string, error: Error) => void
}

/**
 * All files below a directory, depth first, in order of name. Symbolic links are followed; no directory is entered
 * twice. A file that vanishes during the walk is left out.
 * @throws SiltstoneError `not-found` (file-missing) when there is no such directory, or as `onError` says
 */
export async function* walkDirectory(directory: string, options: WalkOptions = {}): AsyncGenerator<WalkedFile> {
  yield* walk(directory, '', options, new Set())
}

async function* walk(path: string, below: string, options: WalkOptions, seen: Set<string>): AsyncGenerator<WalkedFile> {
  for (const { name } of await open(path, options, seen)) {
    const entry = join(path, name)
    const relativePath = below === '' ? name : `${below}/${name}`
    const found = await inspect(entry, options)
    if (found?.isFile() === true) {
      yield { path: entry, relativePath, sizeBytes: found.size, modifiedMs: Math.trunc(found.mtimeMs) }
    } else if (found?.isDirectory() === true && options.enter?.(relativePath) !== false) {
      yield* walk(entry, relativePath, options, seen)
    }
  }
}

/** The entries of a directory, unless it was entered before. */
async function open(path: string, options: WalkOptions, seen: Set<string>): Promise<Dirent[]> {
  try {
    const real = await realpath(path)
    if (seen.has(real)) return []
    seen.add(real)
    const entries = await readdir(path, { withFileTypes: true })
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    return fail(path, error, options, [])
  }
}

async function inspect(path: string, options: WalkOptions): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    return isMissing(error) ? undefined : fail(path, error, options, undefined)
  }
}

function fail<T>(path: string, error: unknown, { onError }: WalkOptions, instead: T): T {
  const shown = fileError(error, { path, doing: 'read' })
  if (onError === undefined) throw shown
  onError(path, shown)
  return instead
}
