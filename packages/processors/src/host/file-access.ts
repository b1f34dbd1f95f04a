/** A local file as a source. */
import { type FileHandle, open } from 'node:fs/promises'
import type { RandomAccess } from '../processor.ts'

export interface FileAccess extends RandomAccess, AsyncDisposable {}

/** Opens a file for reading; dispose of it to close it (`await using`). */
export async function openFile(path: string): Promise<FileAccess> {
  const handle = await open(path, 'r')
  const { size } = await handle.stat()
  return {
    sizeBytes: size,
    read: (offset, length) => readRange(handle, offset, Math.min(length, Math.max(0, size - offset))),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

async function readRange(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}
