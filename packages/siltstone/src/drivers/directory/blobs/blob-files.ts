/**
 * The files that hold the bytes of blobs. A file has a name of its own, never one from a key, is written once, synced, and
 * never changed; the index says what it belongs to.
 */
import { type FileHandle, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { corrupt, isSiltstoneError, unavailable } from '../../../errors.ts'
import {
  type BodyCheck,
  BodyHash,
  type BodyHashes,
  chunksOf,
  type ReceivedBytes,
  type WantedHashes,
} from '../../../host/blob-checksum.ts'
import { fileError, isMissing } from '../../../host/file-errors.ts'
import type { BlobBody } from '../../../ports/blob-store.ts'
import type { Ids } from '../../../ports/ids.ts'
import { DirectorySync } from '../directory-sync.ts'
import { makeDirectories } from '../../../host/make-directories.ts'
import { BodyFile } from './body-file.ts'

const READ_BYTES = 512 * 1024

/** Bytes of a blob, in order. */
export type Segment = readonly [file: string, sizeBytes: number]

export type Received = ReceivedBytes & ({ inlined: Uint8Array } | { file: string })

export class BlobFiles {
  readonly #root: string
  readonly #ids: Ids
  readonly #directories: DirectorySync

  /** @param root an existing directory */
  constructor(root: string, ids: Ids) {
    this.#root = root
    this.#ids = ids
    this.#directories = new DirectorySync(root)
  }

  /**
   * Reads a body to its end and checks it. Bodies of at most `inlineBytes` are returned, larger ones are durable in a
   * file when this returns. A body that fails leaves no file.
   */
  async receive(body: BlobBody, check: BodyCheck, inlineBytes: number): Promise<Received> {
    const small: Uint8Array[] = []
    let smallBytes = 0
    let file: BodyFile | undefined
    const create = async () => {
      file = await this.#create(check.wanted)
      for (const chunk of small.splice(0)) await file.push(chunk)
      return file
    }
    try {
      for await (const chunk of chunksOf(body)) {
        check.count(chunk)
        if (file !== undefined) {
          await file.push(chunk)
          continue
        }
        smallBytes += chunk.length
        if (smallBytes > inlineBytes) await (await create()).push(chunk)
        else small.push(new Uint8Array(chunk))
      }
      if (file === undefined && inlineBytes > 0) {
        const inlined = joined(small)
        return { ...check.finish(hashOf(inlined, check.wanted)), inlined }
      }
      file ??= await create()
      const received = check.finish(await file.end())
      await file.keep()
      await this.#directories.sync(dirname(file.path))
      return { ...received, file: file.name }
    } catch (error) {
      await file?.discard()
      throw isSiltstoneError(error) || !isFileError(error) || file === undefined
        ? error
        : fileError(error, { path: file.path, doing: 'write' })
    }
  }

  /** @param reusesChunks see `GetBlobOptions` */
  async *read(
    segments: readonly Segment[],
    start: number,
    end: number,
    reusesChunks = false,
  ): AsyncGenerator<Uint8Array> {
    let before = 0
    for (const [name, sizeBytes] of segments) {
      const from = Math.max(start - before, 0)
      const to = Math.min(end - before, sizeBytes)
      before += sizeBytes
      if (from < to) yield* this.#readFile(name, from, to, reusesChunks)
      if (before >= end) return
    }
  }

  /** A missing file is no error. */
  async remove(name: string): Promise<void> {
    const path = this.#path(name)
    try {
      await unlink(path)
    } catch (error) {
      if (!isMissing(error)) throw fileError(error, { path, doing: 'remove' })
    }
  }

  /** Names of all files that were last written before `beforeMs`. */
  async *olderThan(beforeMs: number): AsyncGenerator<string[]> {
    const folders = await readdir(this.#root)
    for (const folder of folders) {
      const found: string[] = []
      for (const name of await readdir(join(this.#root, folder))) {
        try {
          if ((await stat(join(this.#root, folder, name))).mtimeMs < beforeMs) found.push(name)
        } catch (error) {
          if (!isMissing(error)) throw error
        }
      }
      if (found.length > 0) yield found
    }
  }

  async *#readFile(name: string, start: number, end: number, reusesChunks: boolean): AsyncGenerator<Uint8Array> {
    const path = this.#path(name)
    let handle: FileHandle
    try {
      handle = await open(path, 'r')
    } catch (error) {
      if (!isMissing(error)) throw fileError(error, { path, doing: 'read' })
      throw unavailable('blob-replaced', `The object was replaced or deleted while it was read. Read it again.`, {
        cause: error,
      })
    }
    const newBuffer = () => Buffer.allocUnsafeSlow(Math.min(READ_BYTES, end - start))
    const read = async (at: number, into: Buffer): Promise<Buffer> => {
      const { bytesRead } = await handle.read(into, 0, Math.min(into.length, end - at), at)
      if (bytesRead === 0) throw corrupt('blob-truncated', `${path} ends at ${at}, ${end} bytes were written.`)
      return into.subarray(0, bytesRead)
    }
    // One is read into while the other is with the caller.
    const buffers = [newBuffer()]
    const bufferOf = (count: number) => (reusesChunks ? (buffers[count % 2] ??= newBuffer()) : newBuffer())
    let next = read(start, bufferOf(0))
    try {
      for (let at = start, count = 1; at < end; count++) {
        const chunk = await next
        at += chunk.length
        if (at < end) {
          next = read(at, bufferOf(count))
          // Its failure is thrown by the next turn.
          next.catch(() => undefined)
        }
        yield chunk
      }
    } finally {
      await next.catch(() => undefined)
      await handle.close()
    }
  }

  async #create(wanted: WantedHashes): Promise<BodyFile> {
    const name = this.#ids.ulid()
    const path = this.#path(name)
    try {
      await makeDirectories(dirname(path))
      return new BodyFile(name, path, await open(path, 'wx', 0o600), wanted)
    } catch (error) {
      throw fileError(error, { path, doing: 'create' })
    }
  }

  /** The last characters of a ULID are random. */
  #path(name: string): string {
    return join(this.#root, name.slice(-2).toLowerCase(), name)
  }
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks))
}

function hashOf(bytes: Uint8Array, wanted: WantedHashes): BodyHashes {
  const hash = new BodyHash(wanted)
  hash.update(bytes)
  return hash.digest()
}
