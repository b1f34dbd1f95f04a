/**
 * What a garbage collection would delete now. It takes no lease, raises no epoch and changes nothing, so another process
 * may make or delete objects meanwhile: the counts are those of a moment. Pins of forks are taken as they stand; a
 * collection asks the forks, and may free more.
 */
import { parseKey, snapshotPrefix } from '../format/keys.ts'
import type { CompactLimits } from '../compact/compact-limits.ts'
import { emptyManifest, type Manifest } from '../format/manifest.ts'
import { pages } from '../log/listing.ts'
import type { LogLimits } from '../log/log-limits.ts'
import type { GarbagePreview } from '../model/maintenance.ts'
import type { Environment } from '../ports/environment.ts'
import type { ObjectInfo } from '../ports/object-store.ts'
import { type Current, ManifestStore } from '../snapshot/manifest-store.ts'
import { lostIfPointerMoved } from '../snapshot/lost-work.ts'
import { pinsAfter } from '../snapshot/pins.ts'
import { foldedObjects, reachableKeys } from './garbage.ts'

const KEYS = 100

export interface PreviewOptions {
  log: Pick<LogLimits, 'entryRetentionMs'>
  limits: Pick<CompactLimits, 'graceMs' | 'history'>
}

/** @throws SiltstoneError `corrupt`, and what the store throws */
export async function previewGarbage(path: string, env: Environment, options: PreviewOptions): Promise<GarbagePreview> {
  const manifests = new ManifestStore(env, path)
  for (;;) {
    const listed: ObjectInfo[] = []
    for await (const page of pages(env.store, snapshotPrefix(path))) listed.push(...page)
    const current = await manifests.current()
    const manifest = current === 'none' ? emptyManifest(path) : afterFence(current, env.clock.nowMs(), options.limits)
    const reach = () => reachableKeys(manifests, path, { manifest, manifestKey: '' })
    const reachable = current === 'none' ? await reach() : await lostIfPointerMoved(manifests, current.pointer, reach)
    if (reachable === 'lost') continue
    const isTaken = ({ key }: ObjectInfo) => parseKey(key)?.kind === 'taken'
    const folded = await foldedObjects(env, path, manifest, listed.filter(isTaken), options.log.entryRetentionMs)
    const nowMs = env.clock.nowMs()
    const isOld = (minimumMs: number) => (object: ObjectInfo) => nowMs - object.lastModifiedMs > minimumMs
    const unreachable = listed.filter((object) => !reachable.has(object.key) && !isTaken(object))
    const deletable = [
      ...unreachable.filter(isOld(options.limits.graceMs)),
      ...folded.old.filter(isOld(options.log.entryRetentionMs)),
    ]
    return {
      collection: path,
      deletable: deletable.length,
      deletableBytes: deletable.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      waiting: unreachable.length + folded.old.length - deletable.length + folded.waiting,
      keys: deletable.slice(0, KEYS).map(({ key }) => key),
    }
  }
}

/** The current manifest with the pins that the garbage collector's own commit would leave. */
function afterFence({ manifest, pointer }: Current, nowMs: number, { history }: PreviewOptions['limits']): Manifest {
  return { ...manifest, pins: pinsAfter(manifest, pointer.manifestKey, nowMs, history) }
}
