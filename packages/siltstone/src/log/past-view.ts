/** A past state, rebuilt from a kept manifest and the entries after it. */
import { notFound } from '../errors.ts'
import { emptyManifest } from '../format/manifest.ts'
import { AppliedLog } from './applied-log.ts'
import { isOfLog } from './folded-record.ts'
import { type InboxObject, listTail } from './listing.ts'
import type { LogContext } from './log-context.ts'
import { Vanished } from './vanished.ts'
import { View } from './view.ts'

export interface PastState {
  /** null: the empty collection before the first commit. */
  manifestKey: string | null
  version: number
  /** Deltas that were shown although no entry had sequenced them. */
  unsequenced: readonly InboxObject[]
}

/**
 * @throws SiltstoneError `not-found` (gone) when the manifest, the entries, their record or the deltas are no longer
 * kept
 */
export async function pastView(context: LogContext, { manifestKey, version, unsequenced }: PastState): Promise<View> {
  const { env, path, pool, manifests, deltas } = context
  const gone = () => notFound('gone', `version ${version} of ${path} is no longer kept`)
  const manifest = manifestKey === null ? emptyManifest(path) : await manifests.load(manifestKey)
  if (!manifest || manifest.watermark > version) throw gone()
  // It opens segments of its own: the current state would close them as unused.
  const past = new AppliedLog({ ...context, pool: pool.sibling(), deltas: deltas.sibling() })
  await past.install(manifest)
  const listing = await listTail(env.store, path, manifest.watermark, false)
  const wanted = listing.entries.filter((entry) => entry.number <= version)
  try {
    if (wanted.length !== version - manifest.watermark) throw gone()
    await past.extend(wanted)
    const now = await manifests.current()
    // An entry below the watermark may be a stray. Without a record there is no telling, so it is not trusted.
    // step: strays-are-refused
    if (now !== 'none' && past.entries.some((entry) => !isOfLog(now.manifest, entry))) throw gone()
    for (const { ulid, etag, sizeBytes } of unsequenced) {
      if (past.isMentioned(ulid)) continue
      const delta = await deltas.get(ulid, etag, sizeBytes)
      if (delta.status === 'gone' || delta.status === 'changed') throw gone()
      if (delta.status === 'ok') await past.overlay.applyDelta(delta.records, version + 1)
    }
  } catch (error) {
    if (error instanceof Vanished) throw gone()
    throw error
  }
  return new View({ version, manifestKey, manifest, overlay: past.overlay.view(), unsequenced })
}
