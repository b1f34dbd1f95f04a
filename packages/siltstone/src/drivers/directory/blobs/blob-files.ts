/**
 * The files that hold the bytes of blobs. A file has a name of its own, never one from a key, is written once, synced, and
 * never changed; the index says what it belongs to.
 */
import { type FileHandle, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { corrupt, isSiltstoneError, unavailable } from '../../../errors.ts'
import { type BodyCheck, chunksOf, type ReceivedBytes } from '../../../host/blob-checksum.ts'
import { fileError, isMissing } from '../../../host/file-errors.ts'
import type { BlobBody } from '../../../ports/blob-store.ts'
import type { Ids } from '../../../ports/ids.ts'
import { DirectorySync } from '../directory-sync.ts'
import { makeDirectories } from '../../../host/make-directories.ts'

const WRITE_BYTES = 1024 * 1024
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
    const pending = new Pending()
    let file: WritingFile | undefined
    // While a batch is written, the next one is received and hashed.
    let writing: Promise<void> = Promise.resolve()
    try {
      for await (const chunk of chunksOf(body)) {
        check.update(chunk)
        pending.push(chunk)
        if (file === undefined && pending.sizeBytes > inlineBytes) file = await this.#create()
        if (file === undefined || pending.sizeBytes < WRITE_BYTES) continue
        await writing
        writing = file.write(pending.take())
        // Its failure is thrown by the next wait for it.
        writing.catch(() => undefined)
      }
      await writing
      const received = check.finish()
      if (file === undefined && inlineBytes > 0) return { ...received, inlined: joined(pending.take()) }
      file ??= await this.#create()
      await file.write(pending.take())
      await file.finish()
      await this.#directories.sync(dirname(file.path))
      return { ...received, file: file.name }
    } catch (error) {
      await writing.catch(() => undefined)
      await file?.discard()
      throw isSiltstoneError(error) || !isFileError(error) || file === undefined
        ? error
        : fileError(error, { path: file.path, doing: 'write' })
    }
  }

  async *read(segments: readonly Segment[], start: number, end: number): AsyncGenerator<Uint8Array> {
    let before = 0
    for (const [name, sizeBytes] of segments) {
      const from = Math.max(start - before, 0)
      const to = Math.min(end - before, sizeBytes)
      before += sizeBytes
      if (from < to) yield* this.#readFile(name, from, to)
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

  async *#readFile(name: string, start: number, end: number): AsyncGenerator<Uint8Array> {
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
    try {
      for (let at = start; at < end; ) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, end - at))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) throw corrupt('blob-truncated', `${path} ends at ${at}, ${end} bytes were written.`)
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await handle.close()
    }
  }

  async #create(): Promise<WritingFile> {
    const name = this.#ids.ulid()
    const path = this.#path(name)
    try {
      await makeDirectories(dirname(path))
      return new WritingFile(name, path, await open(path, 'wx', 0o600))
    } catch (error) {
      throw fileError(error, { path, doing: 'create' })
    }
  }

  /** The last characters of a ULID are random. */
  #path(name: string): string {
    return join(this.#root, name.slice(-2).toLowerCase(), name)
  }
}

/** Chunks of a body that are not written yet. */
class Pending {
  #chunks: Uint8Array[] = []
  sizeBytes = 0

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.sizeBytes += chunk.length
  }

  take(): Uint8Array[] {
    const chunks = this.#chunks
    this.#chunks = []
    this.sizeBytes = 0
    return chunks
  }
}

class WritingFile {
  readonly name: string
  readonly path: string
  readonly #handle: FileHandle

  constructor(name: string, path: string, handle: FileHandle) {
    this.name = name
    this.path = path
    this.#handle = handle
  }

  async write(chunks: Uint8Array[]): Promise<void> {
    let left = chunks.filter(({ length }) => length > 0)
    // A call takes at most 1,024 buffers, and may write less than it was given.
    while (left.length > 0) {
      const some = left.slice(0, 1_000)
      let { bytesWritten } = await this.#handle.writev(some)
      const rest: Uint8Array[] = []
      for (const chunk of some) {
        if (bytesWritten < chunk.length) rest.push(chunk.subarray(bytesWritten))
        bytesWritten = Math.max(0, bytesWritten - chunk.length)
      }
      left = [...rest, ...left.slice(some.length)]
    }
  }

  async finish(): Promise<void> {
    await this.#handle.sync()
    await this.#handle.close()
  }

  /** What cannot be removed is found by the next search for strays. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined)
    await unlink(this.path).catch(() => undefined)
  }
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks))
}
