/** The invariants of each commit and each deletion. */
import { inboxKey, type Manifest, parseKey } from 'siltstone/internal'
import type { Bucket } from './bucket.ts'
import type { CollectionTruth, Commit, TrueManifest } from './collection-truth.ts'
import { Violation } from './violation.ts'

/** The least time for which objects are kept after their creation, allowing for differences of clocks. */
export interface Keep {
  entryMs: number
  /** For the key of a folded delta, since it was sequenced. */
  inboxMs: number
  snapshotMs: number
}

/** The state of the whole bucket, as far as the checks look at it. */
export interface KnownState {
  readonly bucket: Bucket
  readonly keep: Keep
  /** The most live bytes that a merge takes. */
  readonly stepBytes: number
  readonly collections: ReadonlyMap<string, CollectionTruth>
  /**
   * When each object of a snapshot was first created. A late put may create it again after its deletion; such a copy
   * belongs to no manifest.
   */
  readonly bornMs: ReadonlyMap<string, number>
  of(path: string): CollectionTruth
  /** Keys of everything that a collection's current manifest and its pins need. */
  reachable(current: TrueManifest | undefined): ReadonlySet<string>
}

export function checkCommit(
  truth: KnownState,
  of: CollectionTruth,
  published: TrueManifest,
  by: string,
  nowMs: number,
): void {
  const { manifest, key } = published
  const before = of.current
  const fail = (promise: string, message: string) => new Violation(promise, `${by} published ${key}: ${message}`)
  const parent = manifest.parent?.manifestKey ?? null
  if (parent !== (before?.key ?? null))
    throw fail('compare and swap', `its parent is ${parent}, it replaced ${before?.key ?? 'nothing'}`)
  if (manifest.watermark > of.end)
    throw fail('watermark', `the watermark is ${manifest.watermark}, the log ends at ${of.end}`)
  if (before) checkSuccession(before.manifest, manifest, fail)
  const closes = of.log.slice(0, manifest.watermark).some(({ entry }) => entry.control?.kind === 'closed')
  if (closes !== (manifest.state === 'closed') && !(of.end === 0 && manifest.kind === 'close'))
    throw fail('closed logs', `its state is ${manifest.state}, but the log up to its watermark says otherwise`)
  if (manifest.state === 'live') {
    const state = of.state(manifest.watermark)
    if (manifest.liveRecords !== state.records.size)
      throw fail('counts', `${manifest.liveRecords} records are live, the log gives ${state.records.size}`)
    if (manifest.dimension !== state.dimension)
      throw fail('counts', `the dimension is ${manifest.dimension}, the log gives ${state.dimension}`)
  }
  if (before && manifest.kind === 'merge') checkStep(truth, before.manifest, manifest, fail)
  checkInboxKeys(truth, of, manifest, nowMs, fail)
  checkFolded(of, manifest, fail)
  const fencedMs = lastFence(of)?.atMs ?? 0
  const known = truth.reachable(before)
  for (const needed of truth.reachable(published)) {
    if (!truth.bucket.peek(needed)) throw fail('garbage collection', `it needs ${needed}, which does not exist`)
    // An object that was written before a fence and not published by then may be collected.
    if (!known.has(needed) && (truth.bornMs.get(needed) ?? 0) < fencedMs && before !== undefined)
      throw fail('fences', `${needed} is older than the last fence, and was not published by then`)
  }
}

/** A merge of several segments takes no more than a step may. Rows that were deleted since it began do not count. */
function checkStep({ stepBytes }: KnownState, before: Manifest, now: Manifest, fail: Fail): void {
  const kept = new Set(now.segments.map(({ segment }) => segment.id))
  const taken = before.segments.filter(({ segment }) => !kept.has(segment.id))
  if (taken.length < 2) return
  const live = taken.reduce(
    (sum, { segment, deletions }) => sum + segment.sizeBytes * (1 - (deletions?.count ?? 0) / segment.rows),
    0,
  )
  if (live > stepBytes) throw fail('bounded steps', `it merged ${Math.round(live)} bytes, a step has ${stepBytes}`)
}

/** The last commit that raised the GC epoch; with `by`, the last one of that process. */
function lastFence(of: CollectionTruth, by?: string): Commit | undefined {
  return of.commits.findLast(
    (commit, i) =>
      commit.published.manifest.gcEpoch > (of.commits[i - 1]?.published.manifest.gcEpoch ?? 0) &&
      (by === undefined || commit.by === by),
  )
}

type Fail = (promise: string, message: string) => Violation

function checkSuccession(before: Manifest, now: Manifest, fail: Fail): void {
  if (before.state === 'closed' && now.state !== 'closed') throw fail('no resurrection', 'the collection was deleted')
  for (const field of ['watermark', 'gcEpoch', 'resetEpoch', 'operations', 'nextOrdinal', 'createdAtMs'] as const)
    if (now[field] < before[field])
      throw fail('succession', `${field} went back from ${before[field]} to ${now[field]}`)
  if (now.kind === 'gc') return
  const kept = new Set(now.pins.map((pin) => `${pin.kind} ${pin.manifestKey} ${pin.reason}`))
  for (const pin of before.pins)
    if (pin.kind === 'fork' && !kept.has(`${pin.kind} ${pin.manifestKey} ${pin.reason}`))
      throw fail('pins', `the pin of fork ${pin.reason} on ${pin.manifestKey} is gone`)
}

/**
 * A sequenced key leaves the list only when no copy of the delta can arrive any more and the delta is certainly deleted,
 * or it would be taken for a new one.
 */
function checkInboxKeys(truth: KnownState, of: CollectionTruth, manifest: Manifest, nowMs: number, fail: Fail): void {
  if (manifest.state === 'closed') return
  const listed = new Set(manifest.sequenced.flatMap(({ ulids }) => ulids))
  for (const [ulid, number] of of.mentioned) {
    if (number > manifest.watermark || listed.has(ulid)) continue
    if (truth.bucket.peek(inboxKey(of.path, ulid)))
      throw fail('sequenced once', `it forgot ${ulid}, which is still in the inbox`)
    // A fold may stall before its commit, so the age is that of the entry.
    const ageMs = nowMs - (of.log[number - 1]?.createdMs ?? 0)
    if (ageMs <= truth.keep.inboxMs)
      throw fail('sequenced once', `it forgot ${ulid} after ${ageMs} ms; it is remembered for ${truth.keep.inboxMs}`)
  }
}

function checkFolded(of: CollectionTruth, manifest: Manifest, fail: Fail): void {
  for (const { first, ids } of manifest.folded)
    ids.forEach((id, i) => {
      if (of.log[first + i - 1]?.entry.id !== id)
        throw fail('record of folded entries', `entry ${first + i} is not ${id}`)
    })
}

export function checkDeletion(truth: KnownState, key: string, by: string, nowMs: number): void {
  const parsed = parseKey(key)
  const fail = (why: string) => new Violation('garbage collection', `${by} deletes ${key}: ${why}`)
  const mustBe = (leastMs: number, createdMs: number) => {
    const ageMs = nowMs - createdMs
    if (ageMs <= leastMs) throw fail(`it is ${ageMs} ms old, and is kept for ${leastMs}`)
  }
  if (parsed?.kind === 'pointer') throw fail('a pointer is never deleted')
  if (parsed?.kind === 'log-entry') {
    const of = truth.of(parsed.path)
    of.deleted++
    if (parsed.number > of.watermark) throw fail(`the watermark is ${of.watermark}`)
    const isClosed = of.current?.manifest.state === 'closed'
    // A stray entry that arrived later under this number is not part of the log.
    mustBe(isClosed ? truth.keep.snapshotMs : truth.keep.entryMs, of.log[parsed.number - 1]?.createdMs ?? 0)
  } else if (parsed?.kind === 'inbox') {
    const of = truth.of(parsed.path)
    const mention = of.mentioned.get(parsed.ulid)
    const isClosed = of.current?.manifest.state === 'closed'
    if (!isClosed && mention === undefined) throw fail('no entry mentions it')
    if (isClosed && mention === undefined) mustBe(truth.keep.snapshotMs, of.inbox.get(parsed.ulid)?.createdMs ?? 0)
  } else if (parsed?.kind === 'taken') {
    const of = truth.of(parsed.path)
    of.deleted++
    if (parsed.number > of.watermark) throw fail(`the watermark is ${of.watermark}`)
    // A closed log has no readers, so there the age of the copy counts, which is older than its entry.
    if (of.current?.manifest.state === 'closed') mustBe(truth.keep.snapshotMs, truth.bornMs.get(key) ?? 0)
    else mustBe(truth.keep.entryMs, of.log[parsed.number - 1]?.createdMs ?? 0)
  } else if (key.startsWith('snapshot/')) {
    for (const of of truth.collections.values())
      if (truth.reachable(of.current).has(key)) throw fail(`${of.path} needs it`)
    if (parsed && 'path' in parsed) {
      const fence = lastFence(truth.of(parsed.path), by)
      if (!fence || fence.atMs < (truth.bornMs.get(key) ?? 0)) throw fail('no fence of the same process came before')
    }
    mustBe(truth.keep.snapshotMs, truth.bornMs.get(key) ?? 0)
  }
}
