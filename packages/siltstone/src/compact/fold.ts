/**
 * The fold: log entries after the watermark become one small segment of new rows, deletion bitmaps and overlays on
 * older segments, and one commit. Its steps and what they hand on:
 *
 * - `FoldInput` (`fold-plan.ts`): the log above one manifest, taken under the lock.
 * - `FoldPlan` (`fold-plan.ts`): which records are written, deleted and overlaid. Planning does no I/O.
 * - `FoldOutput` (`fold-output.ts`): the segment that was written, and the other changes by id of their record.
 * - The commit, in this file.
 *
 * Of a long log, several processes fold different entries at a time, and commit in the order of the log (`fold-ranges.ts`).
 *
 * The output is computed once. Where its ids lie in older segments depends on the manifest, so a fold that loses the
 * commit to a merge starts from the manifest that is current then and only looks the ids up again. That is right as
 * long as the log below the entries is the same: the watermark is the entry before them, and both epochs are unchanged.
 * Otherwise another fold, a garbage collection or a reset came in between, and the fold begins again.
 *
 * Counts are checked before the commit: the rows that the new manifest names, less its deletions, must be the live
 * records that applying the operations one by one gave. A fold that would lose or invent a record is never published.
 */
import { corrupt, isSiltstoneError } from '../errors.ts'
import { parseKey } from '../format/keys.ts'
import type { FoldedEntries, Manifest, SegmentRef, SequencedKeys } from '../format/manifest.ts'
import type { CollectionState } from '../log/collection-state.ts'
import type { KeptEntry } from '../log/entry-vectors.ts'
import type { LogLimits } from '../log/log-limits.ts'
import type { LogWriter } from '../log/writer.ts'
import { BaseState } from '../snapshot/base-state.ts'
import { commitChanges } from '../snapshot/commit-loop.ts'
import { lostIfPointerMoved } from '../snapshot/lost-work.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'
import { applyChanges, countLive } from './apply-changes.ts'
import type { CompactLimits } from './compact-limits.ts'
import { type FoldOutput, relocate, rowChangesOf, writeFold } from './fold-output.ts'
import { type FoldInput, foldInput, planFold } from './fold-plan.ts'
import {
  awaitTurn,
  isAsCounted,
  isShared,
  type RangeContext,
  type Sharing,
  withRange,
  withRangeBeside,
} from './fold-ranges.ts'
import { foldTimeMs } from './step-cost.ts'

const REFUSED_KEPT = 1_000
const COMMIT_ATTEMPTS = 20

export interface FoldContext extends RangeContext {
  writer: LogWriter
  pool: SegmentPool
  limits: CompactLimits
}

export interface FoldResult {
  manifest: Manifest
  entries: number
  operations: number
  bytesWritten: number
  /** How long it was expected to take at the assumed pace. */
  assumedMs: number
}

/**
 * Folds entries above the watermark.
 * @returns null when there was nothing to fold, `lost` when another process folded it, `busy` when others fold the rest
 */
export async function foldOnce(
  context: FoldContext,
  signal: AbortSignal,
): Promise<FoldResult | null | 'lost' | 'busy'> {
  const { state, sharing } = context
  const startedAtMs = state.env.clock.nowMs()
  const input = await readInput(context)
  if (!input) return null
  signal.throwIfAborted()
  if (input !== 'shared') return foldInto(context, input, startedAtMs, signal)
  return withRange({ ...context, sharing: sharing as Sharing }, 'first', signal, (taken, held) =>
    foldInto(context, taken, startedAtMs, held),
  )
}

/**
 * Folds entries after those that other processes fold now.
 * @returns null when nobody folds, or there are too few, `lost` when its turn never came, `busy` when others take them
 */
export async function foldBeside(
  context: FoldContext,
  signal: AbortSignal,
): Promise<FoldResult | null | 'lost' | 'busy'> {
  const { state, sharing } = context
  const startedAtMs = state.env.clock.nowMs()
  if (!sharing) return null
  return withRangeBeside({ ...context, sharing }, signal, (taken, held) => foldInto(context, taken, startedAtMs, held))
}

function foldInto(
  context: FoldContext,
  input: FoldInput,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<FoldResult | 'lost'> {
  const { state, pool, limits } = context
  return lostIfPointerMoved(state.manifests, input.pointer, async () => {
    const output = await writeFold({ env: state.env, path: state.path, pool, limits }, input, planFold(input), signal)
    // step: turn-is-awaited
    const isTurn = !input.before || (await awaitTurn(state, input, signal))
    if (!isTurn) return 'lost'
    const manifest = await commitFold(context, input, output, startedAtMs, signal)
    if (manifest === 'lost') return 'lost'
    if (input.before) state.env.metrics.count('folds_beside_others')
    return {
      manifest,
      entries: input.entries.length,
      operations: input.view.overlay.operations - (input.before?.operations ?? 0),
      bytesWritten: output.segment?.sizeBytes ?? 0,
      assumedMs: foldTimeMs(input.sizeBytes, output.segment, limits.pace),
    }
  })
}

/**
 * Reads the log, at most `foldBytes` of it, after sequencing what is in the inbox.
 * @returns null when there is nothing to fold; `shared` when other processes fold a part of it, or could
 */
async function readInput({ state, writer, limits, sharing }: FoldContext): Promise<FoldInput | null | 'shared'> {
  const applyBytes = limits.foldBytes
  const sync = (unlessBytes?: number) =>
    state.run(async ({ log }) => {
      // The inbox also in a collection without bare producers: its writers may have handed groups over.
      await log.sync({ inbox: true, applyBytes, ...(unlessBytes !== undefined && { unlessBytes }) })
      // With only a part of the log applied nothing can be appended; the next fold sequences the inbox.
      return !log.isClosed && log.knowledge !== undefined && log.unsequenced.length > 0
    })
  let hasInbox = await sync(sharing?.rangeBytes)
  if (sharing) {
    if (await isShared(state, sharing.rangeBytes)) return 'shared'
    if (await state.run(async ({ log }) => log.waiting.length > 0)) hasInbox = await sync()
  }
  if (hasInbox) {
    try {
      await writer.sequenceInbox()
    } catch (error) {
      // The collection was deleted in the meantime: its last entry is still to be folded.
      if (!isSiltstoneError(error, 'not-found')) throw error
    }
    await state.run(({ log }) => log.sync({ inbox: false, applyBytes }))
  }
  return state.run(async (locked) => foldInput(locked, { bytes: applyBytes }))
}

async function commitFold(
  { state, pool, limits, name }: FoldContext,
  input: FoldInput,
  output: FoldOutput,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<Manifest | 'lost'> {
  const { env, path, manifests } = state
  const { view, manifest: origin } = input
  const options = {
    env,
    kind: input.isClosed ? ('close' as const) : ('fold' as const),
    writer: name,
    startedAtMs,
    history: limits.history,
    attempts: COMMIT_ATTEMPTS,
    // A fold that waited for its turn commits over what is current then.
    ...(!input.before && { from: input }),
    signal,
  }
  const committed = await commitChanges(manifests, options, async ({ manifest: current }) => {
    if (
      current.state === 'closed' ||
      // step: fold-follows-the-watermark
      current.watermark !== input.first - 1 ||
      // step: records-before-are-counted
      !isAsCounted(current, input) ||
      // step: fold-is-fenced
      current.gcEpoch !== origin.gcEpoch ||
      current.resetEpoch !== origin.resetEpoch
    ) {
      env.metrics.count('fold_rebase_refused')
      return undefined
    }
    let segments: SegmentRef[] | undefined = []
    if (!input.isClosed) segments = await segmentsAfter(state, pool, input, output, current)
    if (!segments) return undefined
    const liveRecords = input.isClosed ? 0 : view.liveRecords
    if (countLive(segments) !== liveRecords)
      throw corrupt(
        'count-mismatch',
        `folding ${path} up to entry ${view.version}: ${countLive(segments)} rows would be live, ${liveRecords} records are`,
      )
    const nowMs = env.clock.nowMs()
    return {
      state: input.isClosed ? 'closed' : 'live',
      // step: fold-sets-the-watermark
      watermark: view.version,
      operations: origin.operations + view.overlay.operations,
      segments,
      liveRecords,
      dimension: view.dimension,
      nextOrdinal: view.overlay.nextOrdinal,
      resetEpoch: current.resetEpoch + (input.isReset ? 1 : 0),
      // step: mentions-are-remembered
      sequenced: [...current.sequenced, ...sequencedBy(input.entries, nowMs)],
      folded: foldedAfter(current.folded, input.entries, nowMs, state.limits),
      refused: [...current.refused, ...input.refused.map((one) => ({ ...one, atMs: nowMs }))].slice(-REFUSED_KEPT),
    }
  })
  return committed === 'lost' || !committed ? 'lost' : committed.manifest
}

/** @returns undefined when a record is not where it must be */
async function segmentsAfter(
  { env, path }: CollectionState,
  pool: SegmentPool,
  input: FoldInput,
  output: FoldOutput,
  current: Manifest,
): Promise<SegmentRef[] | undefined> {
  // A reset brings its own segments: which ones are current does not matter.
  const isMoved = current !== input.manifest && !input.isReset
  const placed = isMoved ? await relocate(output, () => BaseState.open(pool, current)) : output
  if (!placed) return undefined
  const base = isMoved ? current : input.view.base.part
  const changed = await applyChanges(env, path, base.segments, rowChangesOf(placed))
  return output.segment ? [...changed, { segment: output.segment, deletions: null, overlays: [] }] : changed
}

function sequencedBy(entries: readonly KeptEntry[], foldedAtMs: number): SequencedKeys[] {
  const ulids = new Set<string>()
  for (const { sequenced } of entries)
    for (const { key } of sequenced) {
      const parsed = parseKey(key)
      if (parsed?.kind === 'inbox') ulids.add(parsed.ulid)
    }
  return ulids.size === 0 ? [] : [{ foldedAtMs, ulids: [...ulids] }]
}

/** Adds the entries as one group; drops the oldest groups when they are too old or hold too many entries. */
function foldedAfter(
  folded: readonly FoldedEntries[],
  entries: readonly KeptEntry[],
  foldedAtMs: number,
  { entryRetentionMs, foldedRecordExtraMs, foldedRecordLimit }: LogLimits,
): FoldedEntries[] {
  const groups = [...folded, { foldedAtMs, first: entries[0]?.number ?? 0, ids: entries.map(({ id }) => id) }]
  let count = groups.reduce((sum, { ids }) => sum + ids.length, 0)
  while (groups.length > 1) {
    const oldest = groups[0] as FoldedEntries
    const isExpired = foldedAtMs - oldest.foldedAtMs > entryRetentionMs + foldedRecordExtraMs
    if (!isExpired && count <= foldedRecordLimit) break
    count -= oldest.ids.length
    groups.shift()
  }
  return groups
}
