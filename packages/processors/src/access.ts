/** Sources to read from: bytes in memory, a window of another source, and whole reads with a limit. */
import { checkSize } from './failures.ts'
import type { RandomAccess } from './processor.ts'

export const accessBytes = (bytes: Uint8Array): RandomAccess => ({
  sizeBytes: bytes.length,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
})

/** @throws SiltstoneError `invalid` (file-too-large) before anything is read */
export async function readAll(source: RandomAccess, what: string, limitBytes: number): Promise<Uint8Array> {
  checkSize(what, source.sizeBytes, limitBytes)
  return source.read(0, source.sizeBytes)
}

/** A source that remembers what went wrong when it was read: a parser may take that for a damaged file. */
export interface WatchedAccess extends RandomAccess {
  readonly failure: { error: unknown } | undefined
}

/** Reads ahead in blocks and keeps a few of them, for parsers that read a few bytes at a time. */
export function bufferedAccess(source: RandomAccess, blockBytes = 256 * 1024, keptBlocks = 16): WatchedAccess {
  let failure: { error: unknown } | undefined
  const readSource = async (offset: number, length: number) => {
    try {
      return await source.read(offset, length)
    } catch (error) {
      failure ??= { error }
      throw error
    }
  }
  const blocks = new Map<number, Promise<Uint8Array>>()
  const block = (index: number) => {
    let bytes = blocks.get(index)
    if (bytes) blocks.delete(index)
    else {
      bytes = readSource(index * blockBytes, blockBytes)
      // A failed read is not remembered; the reader that awaits it gets the error.
      bytes.catch(() => blocks.delete(index))
    }
    blocks.set(index, bytes)
    if (blocks.size > keptBlocks) blocks.delete(blocks.keys().next().value as number)
    return bytes
  }
  return {
    sizeBytes: source.sizeBytes,
    get failure() {
      return failure
    },
    async read(offset, length) {
      const end = Math.min(offset + length, source.sizeBytes)
      if (end - offset >= blockBytes) return readSource(offset, end - offset)
      const bytes = new Uint8Array(Math.max(0, end - offset))
      for (let at = offset; at < end; ) {
        const index = Math.floor(at / blockBytes)
        const part = (await block(index)).subarray(at - index * blockBytes, end - index * blockBytes)
        if (part.length === 0) return bytes.subarray(0, at - offset)
        bytes.set(part, at - offset)
        at += part.length
      }
      return bytes
    },
  }
}
