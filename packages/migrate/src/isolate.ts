/**
 * Finds the records for which a live source fails, so that the others of the same request are not lost: a request that fails
 * is repeated for each half of its ids.
 */
import { isSiltstoneError } from 'siltstone/internal'
import type { Skipped, SourceRecord } from './types.ts'

interface Found {
  records: SourceRecord[]
  skipped: Skipped[]
}

/** @throws SiltstoneError of `read` when it does not concern single records: the source does not answer, or refuses */
export async function readIsolated(
  ids: readonly string[],
  read: (ids: readonly string[]) => Promise<Found>,
): Promise<Found> {
  try {
    return await read(ids)
  } catch (error) {
    if (!concernsRecords(error)) throw error
    if (ids.length <= 1) {
      const { message } = error as Error
      return { records: [], skipped: ids.map((id): Skipped => ({ id, kind: 'record', reason: message })) }
    }
    const half = ids.length >> 1
    const [a, b] = [await readIsolated(ids.slice(0, half), read), await readIsolated(ids.slice(half), read)]
    return { records: [...a.records, ...b.records], skipped: [...a.skipped, ...b.skipped] }
  }
}

/** An answer that cannot be understood, a refusal of the request, or the status 500. */
export function concernsRecords(error: unknown): boolean {
  if (isSiltstoneError(error, 'unavailable')) return error.code === 'source-failed'
  return isSiltstoneError(error, 'corrupt') || isSiltstoneError(error, 'invalid')
}
