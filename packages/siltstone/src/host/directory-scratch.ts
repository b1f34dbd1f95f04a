import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { corrupt } from '../errors.ts'
import type { Ids } from '../ports/ids.ts'
import type { Scratch, ScratchFile } from '../ports/scratch.ts'
import { fileError } from './file-errors.ts'
import { freeDiskBytes } from './machine.ts'
import { makeDirectories } from './make-directories.ts'

/** Files without a name: unlinked while they are open, so that even a killed process leaves none. */
export class DirectoryScratch implements Scratch {
  readonly #folder: string
  readonly #ids: Ids

  /** @param folder created on first use */
  constructor(folder: string, ids: Ids) {
    this.#folder = folder
    this.#ids = ids
  }

  async create(): Promise<ScratchFile> {
    const path = join(this.#folder, this.#ids.ulid())
    try {
      await makeDirectories(this.#folder)
      const handle = await open(path, 'wx+', 0o600)
      await unlink(path)
      return new DirectoryScratchFile(path, handle)
    } catch (cause) {
      throw fileError(cause, { path, doing: 'create' })
    }
  }

  async freeBytes(): Promise<number> {
    try {
      await makeDirectories(this.#folder)
    } catch (cause) {
      throw fileError(cause, { path: this.#folder, doing: 'create' })
    }
    return freeDiskBytes(this.#folder)
  }
}

class DirectoryScratchFile implements ScratchFile {
  readonly #path: string
  readonly #handle: FileHandle
  sizeBytes = 0

  constructor(path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      // `write` may write less than it was given.
      await this.#handle.writeFile(bytes)
    } catch (cause) {
      throw fileError(cause, { path: this.#path, doing: 'write' })
    }
    this.sizeBytes += bytes.length
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    for (let at = 0; at < into.length; ) {
      const { bytesRead } = await this.#handle.read(into, at, into.length - at, offset + at)
      if (bytesRead === 0) throw corrupt('scratch-truncated', `${this.#path} ends at ${offset + at}`)
      at += bytesRead
    }
  }

  discard(): Promise<void> {
    return this.#handle.close()
  }
}
