import { type FileHandle, open, readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '../../ports/random.ts'
import { fileErrorCode, isMissing } from '../../host/file-errors.ts'

/** A crash leaves temporary files behind; a running writer touches its own far more often than this. */
const STALE_AFTER_MS = 3_600_000

export interface TempFile {
  path: string
  handle: FileHandle
}

/** The reserved folder for files that are being written. */
export class TempFiles {
  readonly #directory: string
  readonly #random: Random
  #made = 0

  constructor(directory: string, random: Random) {
    this.#directory = directory
    this.#random = random
  }

  /** A new file, open for writing. */
  async create(): Promise<TempFile> {
    for (;;) {
      const chance = Math.floor(this.#random.next() * 2 ** 32).toString(36)
      const path = join(this.#directory, `${process.pid}-${++this.#made}-${chance}`)
      try {
        return { path, handle: await open(path, 'wx') }
      } catch (error) {
        // Another container may have the same process id and the same seed: try the next number.
        if (fileErrorCode(error) !== 'EEXIST') throw error
      }
    }
  }

  /** Removes the files of crashed writers and returns their number. */
  async removeStale(nowMs: number): Promise<number> {
    let removed = 0
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name)
      try {
        const { mtimeMs } = await stat(path)
        if (nowMs - mtimeMs <= STALE_AFTER_MS) continue
        await unlink(path)
        removed++
      } catch (error) {
        // Another process that opens the store may clean up at the same time.
        if (!isMissing(error)) throw error
      }
    }
    return removed
  }
}

/** Removes a file that may no longer exist. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
