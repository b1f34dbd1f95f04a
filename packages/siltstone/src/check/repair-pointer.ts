/**
 * Repairs a lost or damaged head of a collection: when the pointer is gone, or the snapshot that it names cannot be
 * read completely, the newest intact snapshot is published again.
 *
 * A snapshot is chosen only if nothing is lost by it: every entry between it and the newest snapshot that ever existed
 * must still be kept, with the deltas that it sequences, so that these entries are folded once more. A *new* manifest
 * over the same segments is published, with both epochs above all others, so a compaction that began on the lost head
 * loses its commit, as it would against a garbage collector's fence. Pins are united from every manifest that can be
 * read, so no pinned object is deleted. Pins whose own manifest is gone are dropped; otherwise no garbage collection
 * could run again.
 *
 * The repair runs under both leases, so that no garbage collector removes what is being chosen. It deletes nothing.
 */
import { isSiltstoneError } from '../errors.ts'
import { decodeEntry, type SequencedDelta } from '../format/entry.ts'
import { logEntryKey, manifestPrefix, parseKey, pointerKey } from '../format/keys.ts'
import type { Manifest, Pin } from '../format/manifest.ts'
import { DeltaCache } from '../log/delta-cache.ts'
import { contentOf, objectOf } from '../log/mention.ts'
import type { LogLimits } from '../log/log-limits.ts'
import { pages } from '../log/listing.ts'
import type { Environment } from '../ports/environment.ts'
import { ManifestStore, type PointerState } from '../snapshot/manifest-store.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'
import { pinsAfter, type HistoryPolicy } from '../snapshot/pins.ts'
import { damageOf } from './verify-snapshot.ts'

export interface Head {
  pointer: PointerState | 'none'
  /** undefined: the manifest cannot be read. */
  manifest: Manifest | undefined
  /** Why the head cannot be used; undefined when it is intact. */
  damage: string | undefined
}

export interface Candidate {
  key: string
  manifest: Manifest
}

export interface Choice {
  chosen: Candidate | undefined
  /** Newest first, with the reason why each was not chosen. */
  refused: { key: string; reason: string }[]
  /** Every manifest that can be read. */
  readable: Candidate[]
}

/** The pointer and what it names, and how these are damaged. */
export async function readHead(env: Environment, path: string, pool: SegmentPool): Promise<Head> {
  const got = await env.store.get(pointerKey(path))
  if (got.status !== 'ok' || got.etag === undefined) {
    const page = await env.store.list(manifestPrefix(path), { limit: 1 })
    const damage = page.objects.length === 0 ? undefined : `${pointerKey(path)} is missing`
    return { pointer: 'none', manifest: undefined, damage }
  }
  const manifests = new ManifestStore(env, path)
  const unreadable = { manifestKey: '', etag: got.etag }
  try {
    const pointer = await manifests.readPointer()
    if (typeof pointer === 'string')
      return { pointer: 'none', manifest: undefined, damage: `${pointerKey(path)} is gone` }
    unreadable.manifestKey = pointer.manifestKey
    unreadable.etag = pointer.etag
    const manifest = await manifests.loadExisting(pointer.manifestKey)
    const [first] = await damageOf(env, pool, manifest, pointer.manifestKey)
    return { pointer, manifest, damage: first && `${first.key}: ${first.problem}` }
  } catch (error) {
    if (!isSiltstoneError(error, 'corrupt')) throw error
    return { pointer: unreadable, manifest: undefined, damage: error.message }
  }
}

/** The newest intact snapshot from which nothing is lost. */
export async function chooseSnapshot(
  env: Environment,
  path: string,
  pool: SegmentPool,
  limits: Pick<LogLimits, 'deltaBytes'>,
): Promise<Choice> {
  const manifests = new ManifestStore(env, path)
  const refused: Choice['refused'] = []
  const readable: Candidate[] = []
  let newest = 0
  for await (const page of pages(env.store, manifestPrefix(path)))
    for (const { key } of page) {
      const parsed = parseKey(key)
      if (parsed?.kind !== 'manifest') continue
      newest = Math.max(newest, parsed.watermark)
      const manifest = await tryLoad(manifests, key)
      if (typeof manifest === 'string') refused.push({ key, reason: manifest })
      else readable.push({ key, manifest })
    }
  readable.sort((a, b) => byAge(b.manifest, a.manifest))
  for (const candidate of readable) {
    const [damage] = await damageOf(env, pool, candidate.manifest, candidate.key)
    const reason = damage
      ? `${damage.key}: ${damage.problem}`
      : await lostAfter(env, candidate.manifest, newest, limits)
    if (reason === undefined) return { chosen: candidate, refused, readable }
    refused.push({ key: candidate.key, reason })
  }
  return { chosen: undefined, refused, readable }
}

/** @returns false when another process has moved the pointer */
export async function publishAgain(
  env: Environment,
  choice: { chosen: Candidate; readable: readonly Candidate[] },
  head: Head,
  options: { name: string; history: HistoryPolicy },
): Promise<boolean> {
  const { key, manifest } = choice.chosen
  const manifests = new ManifestStore(env, manifest.collection)
  const nowMs = Math.max(env.clock.nowMs(), manifest.createdAtMs)
  const pins = await unitedPins(manifests, choice, nowMs)
  const highest = (pick: (one: Manifest) => number) => Math.max(...choice.readable.map((one) => pick(one.manifest)))
  const next: Manifest = {
    ...manifest,
    id: env.ids.ulid(),
    kind: 'repair',
    parent: { manifestKey: key, committedAtMs: manifest.createdAtMs },
    createdAtMs: nowMs,
    durationMs: 0,
    writer: options.name,
    gcEpoch: highest((one) => one.gcEpoch) + 1,
    resetEpoch: highest((one) => one.resetEpoch) + 1,
    pins: pinsAfter({ ...manifest, pins }, key, nowMs, options.history),
  }
  return (await manifests.commit(head.pointer, next)) !== 'lost'
}

/** The manifest, or why it cannot be read. */
export async function tryLoad(manifests: ManifestStore, key: string): Promise<Manifest | string> {
  try {
    return await manifests.loadExisting(key)
  } catch (error) {
    if (!isSiltstoneError(error, 'corrupt')) throw error
    return error.message
  }
}

function byAge(a: Manifest, b: Manifest): number {
  return (
    a.watermark - b.watermark ||
    a.gcEpoch - b.gcEpoch ||
    a.resetEpoch - b.resetEpoch ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  )
}

/** What would be lost if the log were folded again from this manifest; undefined when nothing would. */
async function lostAfter(
  env: Environment,
  manifest: Manifest,
  newest: number,
  limits: Pick<LogLimits, 'deltaBytes'>,
): Promise<string | undefined> {
  const path = manifest.collection
  const deltas = new DeltaCache(env.store, path, limits.deltaBytes)
  const mentioned = new Set(manifest.sequenced.flatMap(({ ulids }) => ulids))
  const voided = new Set<string>()
  const wanted: { mention: SequencedDelta; ulid: string }[] = []
  for (let number = manifest.watermark + 1; number <= newest; number++) {
    const key = logEntryKey(path, number)
    const got = await env.store.get(key)
    if (got.status !== 'ok') return `entry ${number}, which a newer snapshot had folded, is no longer kept`
    try {
      const { sequenced, control } = decodeEntry(got.body, key)
      if (control?.kind === 'void') for (const one of control.keys) voided.add(one)
      for (const mention of sequenced) {
        const parsed = parseKey(mention.key)
        if (parsed?.kind !== 'inbox' || mentioned.has(parsed.ulid)) continue
        mentioned.add(parsed.ulid)
        wanted.push({ mention, ulid: parsed.ulid })
      }
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt')) throw error
      return error.message
    }
  }
  for (const { mention, ulid } of wanted) {
    const { status } = await contentOf(mention, ulid, deltas)
    if ((status === 'gone' || status === 'changed') && !voided.has(mention.key))
      return `${objectOf(mention) ?? mention.key}, which a newer snapshot had folded, is no longer kept`
  }
  return undefined
}

async function unitedPins(
  manifests: ManifestStore,
  choice: { chosen: Candidate; readable: readonly Candidate[] },
  nowMs: number,
): Promise<Pin[]> {
  const united = new Map<string, Pin>()
  for (const { manifest } of [choice.chosen, ...choice.readable])
    for (const pin of manifest.pins) {
      if (pin.kind === 'history' && manifest !== choice.chosen.manifest) continue
      if (pin.untilMs !== null && pin.untilMs <= nowMs) continue
      const name = `${pin.kind} ${pin.manifestKey} ${pin.reason}`
      if (!united.has(name)) united.set(name, pin)
    }
  const kept: Pin[] = []
  for (const pin of united.values()) if (typeof (await tryLoad(manifests, pin.manifestKey)) !== 'string') kept.push(pin)
  return kept
}
