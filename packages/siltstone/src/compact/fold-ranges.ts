/**
 * Which process folds which entries of a long log. A fold applies each operation to the records that all earlier ones left, so folds
 * commit one after another, in the order of the log. But nearly all of a fold's work is to write its segment, and that can be done
 * before its turn: a process that also applies the earlier entries, in memory, knows every record as their folds will leave it. It
 * does not know in which rows those records will be; it looks that up, by id, when it commits.
 *
 * - The process that holds `foldLease` is the *first*. It takes the entries after the watermark, as it does when it is alone. Any
 *   other process works *beside* it, and takes the entries after those that are claimed. When the first has committed and others
 *   still fold, it takes the entries after theirs, so the processes alternate.
 * - A *claim* (`claims.ts`) is a lease on a slot (`foldSlots`); its owner names the first and the last entry. Entries are claimed only
 *   if the log is long enough to leave another process a whole fold (`rangeBytes`), and a process beside others takes no less than
 *   that. So a short log needs no further requests, and there are no more folds than one process would make.
 * - A fold whose entries follow those of another waits for its *turn*: until the watermark is the entry before its first. The fold is
 *   lost if the claim on the entries before its own ends and the watermark has not come that far.
 * - The commit checks that the watermark is where the range begins, that the epochs are those with which the fold began, and that the
 *   numbers of records before it, of those inserted and of those changed are the ones that it counted. Otherwise the fold is lost.
 * - A process whose memory is bounded has no room for the entries before its own (`aheadBytes`). It folds only as the first, and lets
 *   others fold beside it; when they do, it leaves the rest to them until they have committed.
 * - If the log is closed or reset by an entry of the range or before it, the range is left to the first.
 * - A process that has committed beside the first, and finds nothing to take, asks for `foldLease` again, so the first may leave the
 *   rest to others.
 *
 * Claims only save work. An entry never changes, and entries above the watermark are never deleted. So what a process has computed
 * from one manifest and some entries is right, no matter which process folded the earlier ones and what happened to the leases.
 *
 * | failure | what follows |
 * |---|---|
 * | the process before ends or stalls | its claim expires; the fold that waits for it is lost, and the log is folded from the watermark on |
 * | the process before folds fewer or more entries than it claimed | the watermark passes the turn or the claim ends: lost |
 * | a process ends beside the first | its claim expires; until then the first leaves the rest, and the next message or the schedule folds it |
 * | a process stalls between its choice and its slot | two folds take the same entries: the second finds another watermark, lost |
 * | a slot cannot be released | as if the process had ended |
 * | clocks differ by more than a lease lasts | a claim is not seen: as above |
 * | a fence, a reset or the end of the collection comes between | the epochs or the state differ: lost |
 * | a merge moves rows at the same time | nothing: ids are looked up in the manifest on which the fold commits |
 * | a program without claims folds | it claims nothing, so no process folds beside it; if it ignores claims, the commits decide |
 */
import { parseKey } from '../format/keys.ts'
import type { Manifest } from '../format/manifest.ts'
import type { CollectionState, Locked } from '../log/collection-state.ts'
import { foldChoiceLease, foldSlots } from '../ports/lease-guard.ts'
import { fullJitterMs } from '../ports/retry.ts'
import { type Claimable, type ClaimKind, heldSlots, namesIn, withClaim } from './claims.ts'
import type { CompactLimits } from './compact-limits.ts'
import { type FoldInput, foldInput } from './fold-plan.ts'

/** Numbers of entries, both included. */
export interface EntryRange {
  first: number
  last: number
}

export interface RangeContext {
  state: CollectionState
  limits: Pick<CompactLimits, 'foldBytes' | 'aheadBytes'>
  /** Name of the compactor. */
  name: string
  /** Default: it folds alone. */
  sharing?: Sharing
}

/** How a process divides a long log with others. */
export interface Sharing {
  /** Of a claim. */
  ttlMs: number
  /** The least that a process takes beside others. */
  rangeBytes: number
}

type SharedContext = RangeContext & { sharing: Sharing }

/** Looks for a claim of the first that is about to be made. */
const LOOKS = 8
const LOOK = { baseMs: 200, maxMs: 2_000 }
/** Looks at the watermark. A fold takes seconds. */
const TURN = { baseMs: 100, maxMs: 1_000 }

export function foldClaims(path: string): ClaimKind {
  return { lease: foldChoiceLease(path), slots: foldSlots(path), verb: ' folds ' }
}

/** The claims of all processes. */
export async function claimedRanges({ env, path }: Pick<CollectionState, 'env' | 'path'>): Promise<EntryRange[]> {
  const kind = foldClaims(path)
  return (await heldSlots(env, kind.slots)).map((state) => rangeOf(namesIn(state, kind)))
}

export function rangeOf([first, last]: readonly string[]): EntryRange {
  return { first: Number(first), last: Number(last) }
}

/** @returns the first entry after the watermark, and after the ranges that follow it, each the one before, without a gap */
export function firstUnclaimed(watermark: number, claims: readonly EntryRange[]): number {
  let first = watermark + 1
  for (;;) {
    const next = claims.find((claim) => claim.first === first && claim.last >= first)
    if (!next) return first
    first = next.last + 1
  }
}

/**
 * Claims entries, reads them, and works on them.
 * @param place of this process
 * @returns null when there is nothing to take, `busy` when others take it, `lost` when it was folded meanwhile
 */
export async function withRange<R>(
  context: SharedContext,
  place: 'first' | 'beside',
  signal: AbortSignal,
  work: (input: FoldInput, signal: AbortSignal) => Promise<R>,
): Promise<R | null | 'busy' | 'lost'> {
  const { state, name, sharing } = context
  const { env, path } = state
  const options = { env, kind: foldClaims(path), name, ttlMs: sharing.ttlMs, signal }
  const choose = (claims: readonly (readonly string[])[]) => {
    // step: claimed-entries-are-left-alone
    const ranges = claims.map(rangeOf)
    return chooseRange(context, place, ranges)
  }
  return withClaim(options, choose, async (range, held) => {
    const input = await readRange(context, range)
    if (input === 'left') return place === 'first' ? 'busy' : null
    return input === 'lost' ? input : work(input, AbortSignal.any([signal, held.signal]))
  })
}

/** Reads no entry, so that the lease for choosing is held for a few requests. */
async function chooseRange(
  { state, limits, sharing }: SharedContext,
  place: 'first' | 'beside',
  claims: readonly EntryRange[],
): Promise<Claimable<EntryRange> | null | 'busy'> {
  return state.run(async ({ log }) => {
    await log.sync({ inbox: false, applyBytes: 0 })
    const { watermark } = log.manifest
    const first = firstUnclaimed(watermark, claims)
    if (place === 'beside' && first === watermark + 1) return null
    if (first > watermark + 1 && limits.aheadBytes === 0) return 'busy'
    const range = { first, last: first - 1 }
    let bytes = 0
    for (const { number, sizeBytes } of log.sizesFrom(first)) {
      if (bytes >= limits.foldBytes) break
      range.last = number
      bytes += sizeBytes
    }
    if (first === watermark + 1) return bytes === 0 ? null : claimOf(range)
    if (bytes >= sharing.rangeBytes) return claimOf(range)
    return place === 'first' ? 'busy' : null
  })
}

function claimOf(range: EntryRange): Claimable<EntryRange> {
  return { inputs: [String(range.first), String(range.last)], choice: range }
}

/**
 * Entries that refer to large deltas are larger than the listing told. Then only the first of them are taken.
 * @returns `left` when they cannot be taken beside other folds
 */
function readRange(
  { state, limits }: SharedContext,
  { first, last }: EntryRange,
): Promise<FoldInput | 'left' | 'lost'> {
  return state.run(async (locked) => {
    const { log } = locked
    const ahead = { to: first - 1, bytes: limits.aheadBytes }
    await log.sync({ inbox: false, applyBytes: limits.foldBytes, ahead })
    if (log.manifest.watermark >= first) return 'lost'
    const input = foldInput(locked, { first, last, bytes: limits.foldBytes })
    if (!input || (input.before && endsState(log.entries, input))) return 'left'
    return input
  })
}

/** Whether an entry up to the last of the range closes or resets the collection. */
function endsState(entries: FoldInput['entries'], { view }: FoldInput): boolean {
  return entries.some(
    ({ number, control }) => number <= view.version && (control?.kind === 'closed' || control?.kind === 'reset'),
  )
}

/** Whether others fold a part of the log, or could take a whole fold beside the first. The log must have been listed. */
export async function isShared(state: CollectionState, rangeBytes: number): Promise<boolean> {
  const [watermark, bytes] = await state.run(async ({ log }) => [log.manifest.watermark, listedBytes(log)] as const)
  if (bytes < rangeBytes) return false
  return bytes >= 2 * rangeBytes || firstUnclaimed(watermark, await claimedRanges(state)) > watermark + 1
}

/** As `withRange`, for entries after those that others fold now. Of a long log it waits for a claim of the first. */
export async function withRangeBeside<R>(
  context: SharedContext,
  signal: AbortSignal,
  work: (input: FoldInput, signal: AbortSignal) => Promise<R>,
): Promise<R | null | 'busy' | 'lost'> {
  const { state, sharing } = context
  const { clock, random } = state.env
  for (let looks = 1; ; looks++) {
    if ((await claimedRanges(state)).length > 0) {
      const result = await withRange(context, 'beside', signal, work)
      if (result !== null) return result
    }
    if (looks === LOOKS || !(await isLong(state, sharing.rangeBytes))) return null
    // The first has committed, or begun, and will claim the next.
    await clock.sleep(fullJitterMs(looks, { ...LOOK, random }), signal)
  }
}

function listedBytes(log: Locked['log']): number {
  return log.sizesFrom(0).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** Whether two processes can each take a whole fold. Reads no entry. */
function isLong(state: CollectionState, rangeBytes: number): Promise<boolean> {
  return state.run(async ({ log }) => {
    await log.sync({ inbox: false, applyBytes: 0 })
    return listedBytes(log) >= 2 * rangeBytes
  })
}

/** Waits until the entries before the range are folded. False when nobody folds them any more. */
export async function awaitTurn(
  state: CollectionState,
  { first }: Pick<FoldInput, 'first'>,
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, metrics, random } = state.env
  for (let looks = 1; ; looks++) {
    signal.throwIfAborted()
    // Before the pointer is read: who has committed releases the claim afterwards.
    const claims = await claimedRanges(state)
    const pointer = await state.manifests.readPointer()
    const named = typeof pointer === 'string' ? undefined : parseKey(pointer.manifestKey)
    if ((named?.kind === 'manifest' ? named.watermark : 0) >= first - 1) return true
    if (!claims.some(({ last }) => last === first - 1)) {
      metrics.count('fold_turn_never_came')
      return false
    }
    await clock.sleep(fullJitterMs(looks, { ...TURN, random }), signal)
  }
}

/** Whether the manifest is the one that the entries before the range were expected to lead to. */
export function isAsCounted(current: Manifest, { manifest, before }: Pick<FoldInput, 'manifest' | 'before'>): boolean {
  if (!before) return true
  return (
    current.liveRecords === before.liveRecords &&
    current.nextOrdinal === before.nextOrdinal &&
    current.dimension === before.dimension &&
    current.operations === manifest.operations + before.operations
  )
}
