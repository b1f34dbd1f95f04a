/**
 * Garbage collection of one collection. It fences first:
 *
 * 1. Under both leases, it lists `snapshot/<collection>/`.
 * 2. It commits a manifest with a higher `gcEpoch`, the fence. From then on every compaction that began before loses
 *    its commit, however long it stalled. So no object that was written before the fence and is not reachable from the
 *    fence or its pins can ever be published.
 * 3. It deletes only objects that its list held, that neither the fence nor its pins reach, and that are older than the
 *    grace period by the store's clock. The grace period protects readers that still hold an older manifest. Objects of
 *    a compaction that began after the fence are not in the list.
 *
 * The leases only keep garbage collectors and compactors from working in vain. A stalled garbage collector deletes
 * objects that were unreachable at its fence, and such objects stay unreachable, because a manifest names only objects
 * of its parent, of its own making, or of a pin.
 *
 * A fence is a commit, for which a full disk has no room. Then folded entries, and those of a deleted collection, are deleted first:
 * nothing ever reads them again once their retention is over, with a fence or without.
 *
 * Folded entries are deleted after their retention, and with them the copies of deltas that they name. Writers delete
 * inbox deltas as soon as an entry has taken them (`log/take-inbox.ts`). What they left, and copies that arrived late,
 * are deleted here an hour after the fold. A delta's key leaves the manifest's list only in a commit after that hour and
 * after its deletion was confirmed, so it is never taken for a new one. Only keys that the inbox still holds are
 * deleted: to delete a missing key would leave a marker in a bucket that keeps versions.
 *
 * A fork's pin stays while the fork's manifest names this collection among its owners. A pin whose fork has no pointer
 * after an hour belongs to a fork that stalled. The garbage collector first creates the fork's pointer as a tombstone,
 * so that the fork fails instead of publishing over segments that are deleted next, and only then drops the pin.
 */
import { isFull, isSiltstoneError } from '../errors.ts'
import { emptyManifest, type Manifest, type Pin } from '../format/manifest.ts'
import { inboxKey, inboxPrefix, logPrefix, parseKey, snapshotPrefix } from '../format/keys.ts'
import { pages } from '../log/listing.ts'
import type { LogLimits } from '../log/log-limits.ts'
import type { Environment } from '../ports/environment.ts'
import type { ObjectInfo } from '../ports/object-store.ts'
import { type Current, ManifestStore } from '../snapshot/manifest-store.ts'
import { scheduleGc } from '../compact/gc-schedule.ts'
import { withoutMerges } from '../compact/merge-claims.ts'
import { foldLease, withLease } from '../ports/lease-guard.ts'
import type { CompactLimits } from '../compact/compact-limits.ts'
import { commitChanges } from '../snapshot/commit-loop.ts'
import { lostIfPointerMoved } from '../snapshot/lost-work.ts'
import { foldedObjects, reachableKeys } from './garbage.ts'

const COMMIT_ATTEMPTS = 20

export interface GcOptions {
  env: Environment
  log: LogLimits
  limits: CompactLimits
  /** Name of this process, for leases and manifests. */
  name: string
  /** Collect even if another process works on the collection: for the simulation and emergencies. */
  withoutLease?: boolean
  signal?: AbortSignal
}

export interface GcOutcome {
  collection: string
  busy: boolean
  deleted: number
  deletedBytes: number
  failed: number
  /** Unreachable or folded, but too young: there will be work later. */
  waiting: number
}

/** @throws SiltstoneError `corrupt`, and what the store throws */
export async function collectGarbage(path: string, options: GcOptions): Promise<GcOutcome> {
  const outcome: GcOutcome = { collection: path, busy: false, deleted: 0, deletedBytes: 0, failed: 0, waiting: 0 }
  const { env, limits, name } = options
  let hasBegun = false
  const work = async (signal: AbortSignal) => {
    hasBegun = true
    await new GarbageCollector(path, options, signal, outcome).run()
  }
  const alone = () => work(options.signal ?? new AbortController().signal)
  const underLeases = async () => {
    const guarded = await withLease(env, foldLease(path), name, limits.leaseTtlMs, (fold) =>
      withoutMerges(env, path, name, limits.leaseTtlMs, (merge) =>
        work(AbortSignal.any([fold.signal, merge.signal, ...(options.signal ? [options.signal] : [])])),
      ),
    )
    outcome.busy = guarded.status === 'busy' || guarded.value.status === 'busy'
  }
  try {
    await (options.withoutLease ? alone() : underLeases())
  } catch (error) {
    // On a full disk leases may not be written, either. They only save work.
    if (!isFull(error) || hasBegun) throw error
    await alone()
  }
  if (outcome.waiting > 0 || outcome.busy) await scheduleGc(env, path, env.clock.nowMs() + limits.gcEveryMs)
  env.log.info('collected', { ...outcome })
  return outcome
}

class GarbageCollector {
  readonly #path: string
  readonly #options: GcOptions
  readonly #signal: AbortSignal
  readonly #outcome: GcOutcome
  readonly #manifests: ManifestStore

  constructor(path: string, options: GcOptions, signal: AbortSignal, outcome: GcOutcome) {
    this.#path = path
    this.#options = options
    this.#signal = signal
    this.#outcome = outcome
    this.#manifests = new ManifestStore(options.env, path)
  }

  async run(): Promise<void> {
    const { env } = this.#options
    const listed: ObjectInfo[] = []
    for await (const page of pages(env.store, snapshotPrefix(this.#path))) {
      this.#signal.throwIfAborted()
      listed.push(...page)
    }
    const fence = await this.#fenceWithRoom()
    if (!fence) return
    if (fence === 'lost') {
      this.#outcome.busy = true
      return
    }
    const reachable = await lostIfPointerMoved(this.#manifests, fence.pointer, () =>
      this.#reachable(fence.manifest, fence.pointer.manifestKey),
    )
    if (reachable === 'lost') {
      // A later garbage collector fenced this one and dropped some of its pins. It will delete what our list held.
      this.#outcome.busy = true
      return
    }
    const isTaken = ({ key }: ObjectInfo) => parseKey(key)?.kind === 'taken'
    const garbage = listed.filter((object) => !reachable.has(object.key) && !isTaken(object))
    // step: garbage-is-deleted
    await this.#deleteOld(garbage, this.#options.limits.graceMs)
    const taken = listed.filter(isTaken)
    if (fence.manifest.state === 'closed') {
      await this.#deleteOld(taken, this.#options.limits.graceMs)
      await this.#sweepClosedLog()
    } else {
      await this.#deleteFoldedEntries(fence.manifest, taken)
      await this.#deleteFoldedDeltas(fence.manifest)
    }
  }

  /** On a full disk there is no room for the fence. Folded entries need none: their room is taken for it. */
  async #fenceWithRoom(): Promise<Current | 'lost' | undefined> {
    try {
      return await this.#fence()
    } catch (error) {
      if (!isFull(error)) throw error
      const current = await this.#manifests.current()
      const before = this.#outcome.deleted
      if (current !== 'none' && current.manifest.state === 'closed') await this.#sweepClosedLog()
      else if (current !== 'none') await this.#deleteFoldedEntries(current.manifest, [])
      if (this.#outcome.deleted === before) throw error
      this.#outcome.waiting = 0
      return this.#fence()
    }
  }

  /** Raises the epoch, and drops pins and owners that are not needed any more. */
  #fence(): Promise<Current | 'lost' | undefined> {
    return this.#commit(async (manifest) => {
      const pins = await this.#neededPins(manifest.pins)
      const owners = await this.#neededOwners({ ...manifest, pins })
      return {
        // step: gc-raises-the-epoch
        gcEpoch: manifest.gcEpoch + 1,
        pins,
        owners,
      }
    })
  }

  #commit(changesTo: (manifest: Manifest) => Promise<Partial<Manifest>>): Promise<Current | 'lost' | undefined> {
    const { env, limits, name: writer } = this.#options
    const { history } = limits
    const startedAtMs = env.clock.nowMs()
    const attempts = COMMIT_ATTEMPTS
    return commitChanges(
      this.#manifests,
      { env, kind: 'gc', writer, startedAtMs, history, attempts, signal: this.#signal },
      ({ manifest }) => changesTo(manifest),
    )
  }

  async #neededPins(pins: readonly Pin[]): Promise<Pin[]> {
    const needed: Pin[] = []
    for (const pin of pins) if (pin.kind !== 'fork' || (await this.#forkNeeds(pin))) needed.push(pin)
    return needed
  }

  async #forkNeeds(pin: Pin): Promise<boolean> {
    const { env, limits } = this.#options
    const fork = new ManifestStore(env, pin.reason)
    const published = await fork.current()
    if (published === 'none') {
      if (env.clock.nowMs() - pin.pinnedAtMs < limits.forkWithinMs) return true
      const tombstone: Manifest = {
        ...emptyManifest(pin.reason),
        id: env.ids.ulid(),
        kind: 'close',
        state: 'closed',
        createdAtMs: env.clock.nowMs(),
        writer: this.#options.name,
      }
      // The commit is lost when the fork did publish: then it keeps its pin.
      // step: stalled-fork-is-ended
      return (await fork.commit('none', tombstone)) === 'lost'
    }
    return published.manifest.owners.some(({ collection }) => collection === this.#path)
  }

  /**
   * All owners, as long as any object of another collection is in use. An object that came from a fork may belong to
   * the fork's source, and the source's pin for the fork stands only as long as the fork's pin for this collection.
   */
  async #neededOwners(manifest: Manifest): Promise<Manifest['owners']> {
    if (manifest.owners.length === 0) return []
    for (const key of await this.#reachable(manifest, '')) {
      const parsed = parseKey(key)
      if (parsed && 'path' in parsed && parsed.path !== this.#path)
        // step: owners-are-kept
        return manifest.owners
    }
    return []
  }

  #reachable(manifest: Manifest, manifestKey: string): Promise<Set<string>> {
    return reachableKeys(this.#manifests, this.#path, { manifest, manifestKey, signal: this.#signal })
  }

  /** @param taken copies of deltas, which are kept as long as the entries of their number */
  async #deleteFoldedEntries(manifest: Manifest, taken: readonly ObjectInfo[]): Promise<void> {
    const { env, log } = this.#options
    const { old, waiting } = await foldedObjects(env, this.#path, manifest, taken, log.entryRetentionMs)
    this.#outcome.waiting += waiting
    await this.#deleteOld(old, log.entryRetentionMs)
  }

  async #deleteFoldedDeltas(fenced: Manifest): Promise<void> {
    const { env, log } = this.#options
    const nowMs = env.clock.nowMs()
    const ripe = fenced.sequenced.filter(({ foldedAtMs }) => nowMs - foldedAtMs > log.inboxRetentionMs)
    this.#outcome.waiting += fenced.sequenced.length - ripe.length
    if (ripe.length === 0) return
    const left = new Set<string>()
    for await (const page of pages(env.store, inboxPrefix(this.#path))) for (const { key } of page) left.add(key)
    const gone = new Set<string>()
    for (const { ulids } of ripe) {
      this.#signal.throwIfAborted()
      const keys = ulids.map((ulid) => inboxKey(this.#path, ulid))
      for (const key of keys) if (!left.has(key)) gone.add(key)
      // step: deleted-deltas-are-noted
      for (const key of await this.#delete(keys.filter((one) => left.has(one)))) gone.add(key)
    }
    await this.#commit(async (manifest) => ({
      sequenced: manifest.sequenced
        .map((group) => ({ ...group, ulids: group.ulids.filter((ulid) => !gone.has(inboxKey(this.#path, ulid))) }))
        .filter(({ ulids }) => ulids.length > 0),
    }))
  }

  async #sweepClosedLog(): Promise<void> {
    const { env, limits } = this.#options
    for await (const page of pages(env.store, logPrefix(this.#path), { delimiter: '/' }))
      await this.#deleteOld(page, limits.graceMs)
    for await (const page of pages(env.store, inboxPrefix(this.#path))) await this.#deleteOld(page, limits.graceMs)
  }

  async #deleteOld(objects: readonly ObjectInfo[], minimumAgeMs: number): Promise<void> {
    const nowMs = this.#options.env.clock.nowMs()
    const old = objects.filter(({ lastModifiedMs }) => nowMs - lastModifiedMs > minimumAgeMs)
    this.#outcome.waiting += objects.length - old.length
    this.#signal.throwIfAborted()
    const deleted = new Set(await this.#delete(old.map(({ key }) => key)))
    for (const object of old) if (deleted.has(object.key)) this.#outcome.deletedBytes += object.sizeBytes
  }

  async #delete(keys: readonly string[]): Promise<string[]> {
    if (keys.length === 0) return []
    const { env } = this.#options
    try {
      const result = await env.store.delete(keys)
      this.#outcome.deleted += result.deleted.length
      this.#outcome.failed += result.failed.length
      for (const { key, error } of result.failed) env.log.warn('delete_failed', { key, error: error.message })
      return result.deleted
    } catch (error) {
      if (!isSiltstoneError(error, 'unavailable') && !isSiltstoneError(error, 'unknown')) throw error
      this.#outcome.failed += keys.length
      env.log.warn('delete_failed', { keys: keys.length, error: error.message })
      return []
    }
  }
}
