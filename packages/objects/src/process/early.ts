/**
 * What can be searched before a run has ended. A processor says that something is worth it, because the rest takes long: the
 * subtitles of a video, before all of its speech is read.
 *
 * The records of the key are those of one run at any time:
 * - The first commit of what is ready also deletes what other runs have left: the records of the version before, or of a run
 *   that was killed.
 * - Where the records of the same version are all there (`isWhole`), because it is only processed again, nothing is shown
 *   early: they stay until the last commit replaces them.
 *
 * The state names the steps after their records can be searched. What a crash leaves is what any run leaves that has
 * written a part of its records: they stay until the next run replaces them, the object is given up, or is deleted.
 */
import type { RecordOp } from 'siltstone/internal'
import { deletion } from './records.ts'
import type { ObjectState } from './state.ts'

/** @param collection that the run writes to. The records of a version before may be in others, and go with the last commit. */
export const publishesEarly = ({ isWhole, collections }: ObjectState, collection: string): boolean =>
  !isWhole && collections.every((name) => name === collection)

/** @param old ids of the records of other runs; it is empty afterwards */
export function firstPublished(ready: readonly RecordOp[], old: Set<string>): RecordOp[] {
  const operations = [...ready, ...[...old].map(deletion)]
  old.clear()
  return operations
}
