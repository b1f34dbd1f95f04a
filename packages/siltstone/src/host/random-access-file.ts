import { open } from 'node:fs/promises'
import { unavailable } from '../errors.ts'
import { fileError } from './file-errors.ts'

/** A file that is read by ranges. */
export interface RandomAccessFile {
  readonly path: string
  /** The size at the time of opening. */
  readonly sizeBytes: number
  /**
   * Exactly `length` bytes from `offset`.
   * @throws SiltstoneError `unavailable` (file-too-short) beyond the end, (io-error)
   */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** @throws SiltstoneError `not-found` (file-missing), `unavailable` (access-denied, io-error) */
export async function openRandomAccess(path: string): Promise<RandomAccessFile> {
  try {
    const handle = await open(path, 'r')
    const { size: sizeBytes } = await handle.stat()
    return { path, sizeBytes, read: (offset, length) => readExactly(offset, length), close: () => handle.close() }

    async function readExactly(offset: number, length: number): Promise<Uint8Array> {
      const bytes = new Uint8Array(length)
      let done = 0
      try {
        while (done < length) {
          const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
          if (bytesRead === 0) break
          done += bytesRead
        }
      } catch (error) {
        throw fileError(error, { path, doing: 'read' })
      }
      if (done < length)
        throw unavailable('file-too-short', `${path} ends at byte ${offset + done}, ${offset + length} were expected`)
      return bytes
    }
  } catch (error) {
    throw fileError(error, { path, doing: 'open' })
  }
}
