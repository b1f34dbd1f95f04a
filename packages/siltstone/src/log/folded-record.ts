/**
 * The manifest's record of folded entries tells entries of the log from strays. A stray is an entry below the watermark
 * that a stalled writer put after the entry of that number had been folded and collected.
 */
import type { Manifest } from '../format/manifest.ts'
import type { LogEntry } from '../format/entry.ts'

/** The id of the entry that was folded under this number; undefined when the record does not go back that far. */
export function recordedId({ folded }: Pick<Manifest, 'folded'>, number: number): string | undefined {
  const group = folded.find(({ first, ids }) => number >= first && number < first + ids.length)
  return group?.ids[number - group.first]
}

/**
 * Whether an entry belongs to the log.
 * @param manifest read after the entry: a stray exists only once its number has been folded
 */
export function isOfLog(
  manifest: Pick<Manifest, 'folded' | 'watermark'>,
  entry: Pick<LogEntry, 'number' | 'id'>,
): boolean {
  return entry.number > manifest.watermark || recordedId(manifest, entry.number) === entry.id
}
