/**
 * The fold: entries after the watermark become one small segment of new rows, deletion bitmaps and overlays on older
 * segments, and one commit.
 *
 * What costs (rows and columns to write) is computed once and by id. Where those ids lie in older segments depends on
 * the manifest, so who loses the commit to a merge starts from the *current* manifest and only looks the ids up again.
 * That is right as long as the log below the watermark is the same: watermark and both epochs unchanged. Otherwise
 * another fold, a collection or a reset came between, and we begin again.
 *
 * Counts are checked before the commit: the rows that the new manifest names, less its deletions, must be the live
 * records that applying the operations one by one gave. A fold that would lose or invent a record is never published.
 */
import { corrupt, isSiltstoneError } from '../errors.ts'
import type { LogEntry } from '../format/entry.ts'
import { parseKey } from '../format/keys.ts'
import type { Manifest, RefusedDelta, SegmentRef, SequencedKeys, StatePart } from '../format/manifest.ts'
import type { OverlayRow } from '../format/segment/overlay.ts'
import type { SegmentRow } from '../format/segment/writer.ts'
import type { RefusedInLog } from '../log/applied-log.ts'
import type { CollectionState } from '../log/collection-state.ts'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { LogWriter } from '../log/writer.ts'
import { BaseState, type RowRef } from '../snapshot/base-state.ts'
import type { PointerState } from '../snapshot/manifest-store.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'
import { applyChanges, countLive } from './apply-changes.ts'
import type { CompactLimits } from './compact-limits.ts'
import { nextManifest } from '../snapshot/next-manifest.ts'
import { lostIfOvertaken } from '../snapshot/overtaken.ts'
import { evenly, spaceToIndex, writeSegment } from './write-segment.ts'

const REFUSED_KEPT = 1_000
const ROW_BATCH = 2_048
const REBASES = 20

export interface FoldContext {
  state: CollectionState
  writer: LogWriter
  pool: SegmentPool
  limits: CompactLimits
  name: string
}

export interface FoldResult {
  manifest: Manifest
  entries: number
  operations: number
  bytesWritten: number
}

/** @returns null when nothing was to be folded, `lost` when somebody else did it */
export async function foldOnce(context: FoldContext, signal: AbortSignal): Promise<FoldResult | null | 'lost'> {
  const { state, limits } = context
  const startedAtMs = state.env.clock.nowMs()
  const applyBytes = limits.foldBytes
  const hasInbox = await state.run(async ({ log }) => {
    await log.sync({ applyBytes })
    // With only a part of the log applied nothing can be appended; the next fold sequences the inbox.
    return !log.isClosed && log.knowledge !== undefined && (await log.listInbox()).length > 0
  })
  if (hasInbox) {
    try {
      await context.writer.sequenceInbox()
    } catch (error) {
      // The collection was deleted in the meantime: its last entry is still to be folded.
      if (!isSiltstoneError(error, 'not-found')) throw error
    }
    await state.run(({ log }) => log.sync({ inbox: false, applyBytes }))
  }
  const plan = await state.run(async ({ log, views }): Promise<FoldPlan | null> => {
    if (log.manifest.state === 'closed' || log.end === log.manifest.watermark) return null
    const { pointer, manifest, entries, refused, isClosed, overlay, end } = log
    return {
      view: views.sequenced(),
      pointer,
      manifest,
      entries,
      refused,
      isClosed,
      operations: overlay.operations,
      end,
    }
  })
  if (!plan) return null
  return lostIfOvertaken(state.manifests, plan.pointer, () => publish(context, plan, startedAtMs, signal))
}

interface FoldPlan {
  view: View
  pointer: PointerState | 'none'
  manifest: Manifest
  entries: readonly LogEntry[]
  refused: readonly RefusedInLog[]
  isClosed: boolean
  operations: number
  end: number
}

async function publish(
  context: FoldContext,
  plan: FoldPlan,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<FoldResult | 'lost'> {
  const { state, limits } = context
  const work = await divide(plan.view)
  const added = plan.isClosed ? null : await writeRows(context, plan.view, work.rows, signal)
  const reset = plan.entries.some(({ control }) => control?.kind === 'reset')
  let { pointer, manifest: current } = plan
  let base: StatePart = plan.view.base.part
  let located: Located | undefined = work
  for (let attempt = 0; attempt < REBASES && located; attempt++) {
    signal.throwIfAborted()
    const segments = plan.isClosed ? [] : await changeSegments(context, base.segments, located, added)
    const liveRecords = plan.isClosed ? 0 : plan.view.liveRecords
    if (countLive(segments) !== liveRecords)
      throw corrupt(
        'count-mismatch',
        `folding ${state.path} up to entry ${plan.end}: ${countLive(segments)} rows would be live, ${liveRecords} records are`,
      )
    const next = nextManifest(
      {
        env: state.env,
        current,
        pointer,
        kind: plan.isClosed ? 'close' : 'fold',
        writer: context.name,
        startedAtMs,
        history: limits.history,
      },
      {
        state: plan.isClosed ? 'closed' : 'live',
        watermark: plan.end,
        operations: current.operations + plan.operations,
        segments,
        liveRecords,
        dimension: plan.view.dimension,
        nextOrdinal: plan.view.overlay.nextOrdinal,
        resetEpoch: current.resetEpoch + (reset ? 1 : 0),
        sequenced: [...current.sequenced, ...sequencedBy(plan.entries, state.env.clock.nowMs())],
        folded: foldedAfter(current, plan.entries, state),
        refused: [
          ...current.refused,
          ...plan.refused.map((one): RefusedDelta => ({ ...one, atMs: state.env.clock.nowMs() })),
        ].slice(-REFUSED_KEPT),
      },
    )
    const committed = await state.manifests.commit(pointer, next)
    if (committed !== 'lost')
      return {
        manifest: next,
        entries: plan.entries.length,
        operations: plan.operations,
        bytesWritten: added?.sizeBytes ?? 0,
      }
    state.env.metrics.count('commits_lost')
    const now = await state.manifests.current()
    if (now === 'none') return 'lost'
    const { manifest: moved } = now
    if (
      moved.watermark !== current.watermark ||
      moved.gcEpoch !== current.gcEpoch ||
      moved.resetEpoch !== current.resetEpoch
    ) {
      state.env.metrics.count('fold_rebase_refused')
      return 'lost'
    }
    pointer = now.pointer
    current = moved
    if (!reset) {
      base = moved
      located = await relocate(work, await BaseState.open(context.pool, moved))
    }
    state.env.metrics.count('commits_rebased')
  }
  return 'lost'
}

interface Located {
  /** Records whose row in the base disappears: deleted, or written anew. */
  superseded: { id: string; row: RowRef }[]
  /** Records whose row stays, with changed columns. */
  overlaid: { id: string; row: RowRef; change: Omit<OverlayRow, 'row'> }[]
}

async function divide(view: View): Promise<Located & { rows: RecordRef[] }> {
  const superseded: Located['superseded'] = []
  const rows: RecordRef[] = []
  const changed: ChangedRecord[] = []
  for (const record of view.overlay.records()) {
    if (record.columns && record.columns.vector === undefined) changed.push(record)
    else {
      if (record.row) superseded.push({ id: record.id, row: record.row })
      if (record.live) rows.push({ changed: record })
    }
  }
  const metadatas = await view.metadatas(changed.map((record): RecordRef => ({ changed: record })))
  const overlaid = changed.map(({ id, row, version, columns }, i) => ({
    id,
    row: row as RowRef,
    change: {
      version,
      ...(columns?.metadata !== undefined && { metadata: metadatas[i] ?? null }),
      ...(columns?.document !== undefined && { documents: columns.document }),
      ...(columns?.uri !== undefined && { uris: columns.uri }),
    },
  }))
  return { superseded, overlaid, rows }
}

/** The same records in another arrangement of segments; undefined when one is not where it must be. */
async function relocate(work: Located, base: BaseState): Promise<Located | undefined> {
  const ids = [...work.superseded, ...work.overlaid].map(({ id }) => id)
  const rows = await base.lookup(ids)
  if (rows.some((row) => row === null)) return undefined
  const split = work.superseded.length
  return {
    superseded: work.superseded.map((one, i) => ({ ...one, row: rows[i] as RowRef })),
    overlaid: work.overlaid.map((one, i) => ({ ...one, row: rows[split + i] as RowRef })),
  }
}

async function changeSegments(
  context: FoldContext,
  segments: readonly SegmentRef[],
  work: Located,
  added: SegmentRef['segment'] | null,
): Promise<SegmentRef[]> {
  const deleted = groupBySegment(work.superseded, ({ row }) => row.row)
  const overlaid = groupBySegment(work.overlaid, ({ row, change }): OverlayRow => ({ ...change, row: row.row }))
  const changed = await applyChanges(context.state.env, context.state.path, segments, { deleted, overlaid })
  return added ? [...changed, { segment: added, deletions: null, overlays: [] }] : changed
}

function groupBySegment<T extends { row: RowRef }, R>(items: readonly T[], value: (item: T) => R): Map<number, R[]> {
  const groups = new Map<number, R[]>()
  for (const item of items) {
    const list = groups.get(item.row.segment)
    if (list) list.push(value(item))
    else groups.set(item.row.segment, [value(item)])
  }
  return groups
}

async function writeRows(context: FoldContext, view: View, refs: RecordRef[], signal: AbortSignal) {
  if (refs.length === 0) return null
  const { state, pool, limits } = context
  const ordered = await view.inOrder(refs)
  const dimension = view.dimension as number
  const job = {
    env: state.env,
    path: state.path,
    pool,
    dimension,
    expectedRows: refs.length,
    space: await spaceToIndex(state, refs.length, dimension, limits),
    indexRows: limits.indexRows,
    signal,
  }
  const written = await writeSegment(job, {
    async *rows(order) {
      const all = order === 'any' ? byPlace(ordered) : ordered
      for (let i = 0; i < all.length; i += ROW_BATCH) yield await rowsOf(view, all.slice(i, i + ROW_BATCH))
    },
    async *sample(count) {
      const chosen = evenly(ordered.length, count).map((i) => ordered[i] as RecordRef)
      for (let i = 0; i < chosen.length; i += ROW_BATCH) yield await view.vectors(chosen.slice(i, i + ROW_BATCH))
    },
  })
  return written?.descriptor ?? null
}

/** By the rows that they replace, so that a batch reads a part of each column and not a little of everywhere. */
function byPlace(refs: readonly RecordRef[]): RecordRef[] {
  const after: RowRef = { segment: Number.MAX_SAFE_INTEGER, row: 0 }
  return refs.toSorted((a, b) => {
    const x = a.changed?.row ?? after
    const y = b.changed?.row ?? after
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

function sequencedBy(entries: readonly LogEntry[], foldedAtMs: number): SequencedKeys[] {
  const ulids = new Set<string>()
  for (const { sequenced } of entries)
    for (const { key } of sequenced) {
      const parsed = parseKey(key)
      if (parsed?.kind === 'inbox') ulids.add(parsed.ulid)
    }
  return ulids.size === 0 ? [] : [{ foldedAtMs, ulids: [...ulids] }]
}

/** Forgets the oldest records of folded entries by age and by number; one commit's entries are one group. */
function foldedAfter(current: Manifest, entries: readonly LogEntry[], state: CollectionState): Manifest['folded'] {
  const nowMs = state.env.clock.nowMs()
  const { entryRetentionMs, foldedRecordExtraMs, foldedRecordLimit } = state.limits
  const first = entries[0]?.number ?? 0
  const groups = [...current.folded, { foldedAtMs: nowMs, first, ids: entries.map(({ id }) => id) }]
  let count = groups.reduce((sum, { ids }) => sum + ids.length, 0)
  while (groups.length > 1) {
    const oldest = groups[0] as Manifest['folded'][number]
    const expired = nowMs - oldest.foldedAtMs > entryRetentionMs + foldedRecordExtraMs
    if (!expired && count <= foldedRecordLimit) break
    count -= oldest.ids.length
    groups.shift()
  }
  return groups
}
