/**
 * The manifest's record of folded entries tells entries of the log from strays: below the watermark, what lies under a
 * number may be a late put of somebody whose number was used, folded and collected long ago.
 */
import type { Manifest } from '../format/manifest.ts'
import type { LogEntry } from '../format/entry.ts'

/** The id of the entry that was folded under this number; undefined when the record does not go back so far. */
export function recordedId({ folded }: Pick<Manifest, 'folded'>, number: number): string | undefined {
  const group = folded.find(({ first, ids }) => number >= first && number < first + ids.length)
  return group?.ids[number - group.first]
}

/**
 * Whether an entry that was read is the log's.
 * @param manifest read after the entry: a stray is there only once its number was folded
 */
export function isOfLog(
  manifest: Pick<Manifest, 'folded' | 'watermark'>,
  entry: Pick<LogEntry, 'number' | 'id'>,
): boolean {
  return entry.number > manifest.watermark || recordedId(manifest, entry.number) === entry.id
}
