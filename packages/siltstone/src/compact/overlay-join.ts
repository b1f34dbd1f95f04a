/**
 * Joins overlays of one segment into one, without a look at the segment's rows: for each row, in each column, the value
 * of the last overlay that has one.
 */
import type { SegmentRef } from '../format/manifest.ts'
import { type OverlayDescriptor, type OverlayRow, OverlayReader } from '../format/segment/overlay.ts'
import type { ReadRange } from '../format/segment/source.ts'
import type { Environment } from '../ports/environment.ts'
import { writeOverlay } from './apply-changes.ts'

/** The changes of some overlays, oldest first, by row. */
export async function lastChanges(
  overlays: readonly OverlayDescriptor[],
  read: ReadRange,
  signal?: AbortSignal,
): Promise<Map<number, OverlayRow>> {
  const last = new Map<number, OverlayRow>()
  for (const descriptor of overlays) {
    signal?.throwIfAborted()
    for (const change of await readChanges(new OverlayReader(descriptor, read))) {
      // step: last-overlay-wins
      const joined = { ...last.get(change.row), ...change }
      last.set(change.row, joined)
    }
  }
  return last
}

export async function writeJoined(
  env: Environment,
  path: string,
  { overlays }: SegmentRef,
  read: ReadRange,
  signal: AbortSignal,
): Promise<OverlayDescriptor> {
  const changes = await lastChanges(overlays, read, signal)
  signal.throwIfAborted()
  return writeOverlay(env, path, [...changes.values()])
}

/**
 * The overlays of a segment after the join. Folds may have added some since; they come after the joined one.
 * @returns undefined when one that was joined is not there any more
 */
export function withJoined(
  now: readonly OverlayDescriptor[],
  inputs: readonly OverlayDescriptor[],
  joined: OverlayDescriptor,
): OverlayDescriptor[] | undefined {
  if (inputs.some(({ id }, i) => now[i]?.id !== id)) return undefined
  return [joined, ...now.slice(inputs.length)]
}

async function readChanges(overlay: OverlayReader): Promise<OverlayRow[]> {
  const { rows: targets, versions } = await overlay.load()
  const rows = [...targets]
  const [metadata, documents, uris] = await Promise.all([
    overlay.column('metadata', rows),
    overlay.column('documents', rows),
    overlay.column('uris', rows),
  ])
  return rows.map((row, i) => {
    const change: OverlayRow = { row, version: versions[i] as number }
    if (metadata[i] !== undefined) change.metadata = metadata[i]
    if (documents[i] !== undefined) change.documents = documents[i]
    if (uris[i] !== undefined) change.uris = uris[i]
    return change
  })
}
