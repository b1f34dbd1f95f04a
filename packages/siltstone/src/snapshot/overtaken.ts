/**
 * What a compaction or a collection misses need not be damage: while it stalled, somebody may have fenced it and
 * collected what it wrote or read. The pointer tells: it has moved then, and the work is lost, not the data. If it
 * stands where it stood, the object is missing from the truth.
 */
import { isSiltstoneError } from '../errors.ts'
import type { ManifestStore, PointerState } from './manifest-store.ts'

const MISSING = new Set(['object-missing', 'manifest-missing', 'size-mismatch', 'checksum-mismatch'])

/** @param from the pointer that the work began from */
export async function lostIfOvertaken<T>(
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
