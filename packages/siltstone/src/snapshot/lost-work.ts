/**
 * An object that a compaction or a garbage collection misses need not be damaged. While the process stalled, another
 * one may have fenced it and collected what it wrote or read. Then the pointer has moved, and the work is lost, not the
 * data. If the pointer has not moved, the object should exist.
 */
import { isSiltstoneError } from '../errors.ts'
import type { ManifestStore, PointerState } from './manifest-store.ts'

const MISSING = new Set(['object-missing', 'manifest-missing', 'size-mismatch', 'checksum-mismatch'])

/** @param from the pointer that the work began from */
export async function lostIfPointerMoved<T>(
  manifests: ManifestStore,
  from: PointerState | 'none',
  work: () => Promise<T>,
): Promise<T | 'lost'> {
  try {
    return await work()
  } catch (error) {
    if (!isSiltstoneError(error, 'corrupt') || !MISSING.has(error.code)) throw error
    const now = await manifests.readPointer()
    if (typeof now === 'string' || (from !== 'none' && now.etag === from.etag)) throw error
    return 'lost'
  }
}
