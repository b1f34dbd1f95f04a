/** The writing step of a fold: a segment of new rows, and the values of changed columns. */
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { OverlayRow } from '../format/segment/overlay.ts'
import type { SegmentRow } from '../format/segment/writer.ts'
import { vectorBytes } from '../log/entry-vectors.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { BaseState, RowRef } from '../snapshot/base-state.ts'
import type { RowChanges } from './apply-changes.ts'
import type { FoldInput, FoldPlan, RowOfRecord } from './fold-plan.ts'
import { evenly, type SegmentContext, writeSegment } from './write-segment.ts'

const ROW_BATCH = 2_048

/** What a fold adds to a manifest, by the ids of the records that it changes. */
export interface FoldOutput {
  /** Written and verified; null when no record became a new row. */
  segment: SegmentDescriptor | null
  deleted: readonly RowOfRecord[]
  overlaid: readonly (RowOfRecord & { change: Omit<OverlayRow, 'row'> })[]
}

export async function writeFold(
  context: SegmentContext,
  { view, before, entries }: Pick<FoldInput, 'view' | 'before' | 'entries'>,
  { written, deleted, overlaid }: FoldPlan,
  signal: AbortSignal,
): Promise<FoldOutput> {
  const metadatas = await view.metadatas(overlaid.map(({ record }): RecordRef => ({ changed: record })))
  const changes = overlaid.map(({ record: { id, row, version }, columns }, i) => ({
    id,
    row: before ? null : row,
    change: {
      version,
      ...(columns.metadata !== undefined && { metadata: metadatas[i] ?? null }),
      ...(columns.document !== undefined && { documents: columns.document }),
      ...(columns.uri !== undefined && { uris: columns.uri }),
    },
  }))
  const refs = written.map((changed): RecordRef => ({ changed }))
  const heldBytes = entries.reduce((sum, entry) => sum + vectorBytes(entry), 0)
  const segment = refs.length === 0 ? null : await writeRows(context, { view, heldBytes }, refs, signal)
  return { segment, deleted, overlaid: changes }
}

/** Where the output changes the segments of its base. Every row must be known. */
export function rowChangesOf({ deleted, overlaid }: FoldOutput): RowChanges {
  return {
    deleted: bySegment(deleted, (_, row) => row),
    overlaid: bySegment(overlaid, ({ change }, row): OverlayRow => ({ ...change, row })),
  }
}

/** The output for another arrangement of the same records in segments; undefined when one of them is not there. */
export async function relocate(output: FoldOutput, open: () => Promise<BaseState>): Promise<FoldOutput | undefined> {
  const { deleted, overlaid } = output
  if (deleted.length + overlaid.length === 0) return output
  const rows = await (await open()).lookup([...deleted, ...overlaid].map(({ id }) => id))
  if (rows.some((row) => row === null)) return undefined
  return {
    ...output,
    deleted: deleted.map((one, i) => ({ ...one, row: rows[i] as RowRef })),
    overlaid: overlaid.map((one, i) => ({ ...one, row: rows[deleted.length + i] as RowRef })),
  }
}

function bySegment<T extends RowOfRecord, R>(
  items: readonly T[],
  value: (item: T, row: number) => R,
): Map<number, R[]> {
  const groups = Map.groupBy(items, ({ row }) => (row as RowRef).segment)
  return new Map(
    [...groups].map(([segment, group]) => [segment, group.map((one) => value(one, (one.row as RowRef).row))]),
  )
}

async function writeRows(
  context: SegmentContext,
  { view, heldBytes }: { view: View; heldBytes: number },
  refs: readonly RecordRef[],
  signal: AbortSignal,
) {
  const ordered = await view.inOrder(refs)
  const job = { ...context, dimension: view.dimension as number, expectedRows: refs.length, signal }
  const written = await writeSegment(job, {
    heldBytes,
    async *rows(order) {
      const all = order === 'any' ? byStoredRow(ordered) : ordered
      for (let i = 0; i < all.length; i += ROW_BATCH) yield await rowsOf(view, all.slice(i, i + ROW_BATCH))
    },
    async *sample(count) {
      const chosen = evenly(ordered.length, count).map((i) => ordered[i] as RecordRef)
      for (let i = 0; i < chosen.length; i += ROW_BATCH) yield await view.vectors(chosen.slice(i, i + ROW_BATCH))
    },
  })
  return written?.descriptor ?? null
}

/** Sorts by the rows that the records replace, so that a batch reads one part of each column instead of all parts. */
function byStoredRow(refs: readonly RecordRef[]): RecordRef[] {
  const last: RowRef = { segment: Number.MAX_SAFE_INTEGER, row: 0 }
  return refs.toSorted((a, b) => {
    const x = a.changed?.row ?? last
    const y = b.changed?.row ?? last
    return x.segment - y.segment || x.row - y.row
  })
}

async function rowsOf(view: View, refs: readonly RecordRef[]): Promise<SegmentRow[]> {
  const [columns, ordinals] = await Promise.all([
    view.columns(refs, { embeddings: true, documents: true, metadatas: true, uris: true }),
    view.ordinals(refs),
  ])
  return refs.map((ref, i) => ({
    id: columns.ids[i] as string,
    ordinal: ordinals[i] as number,
    version: ref.changed?.version ?? 0,
    vector: columns.embeddings?.[i] as Float32Array,
    document: columns.documents?.[i] ?? null,
    metadata: columns.metadatas?.[i] ?? null,
    uri: columns.uris?.[i] ?? null,
  }))
}
