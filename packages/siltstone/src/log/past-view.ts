/** A past state, rebuilt from a kept manifest and the entries after it. */
import { notFound } from '../errors.ts'
import { emptyManifest } from '../format/manifest.ts'
import { AppliedLog, readEntry } from './applied-log.ts'
import type { DeltaContent } from './delta-cache.ts'
import { isOfLog } from './folded-record.ts'
import { type InboxObject, listTail } from './listing.ts'
import type { LogContext } from './log-context.ts'
import { contentOf, mentionOf } from './mention.ts'
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
      const isThere = delta.status !== 'gone' && delta.status !== 'changed'
      const content = isThere ? delta : await takenLater(context, ulid, version)
      if (content?.status !== 'ok') throw gone()
      await past.overlay.applyDelta(content.records, version + 1)
    }
  } catch (error) {
    if (error instanceof Vanished) throw gone()
    throw error
  }
  return new View({ version, manifestKey, manifest, overlay: past.overlay.view(), unsequenced })
}

/** The content of a delta that an entry after `version` has taken; undefined when that entry is no longer kept. */
async function takenLater(context: LogContext, ulid: string, version: number): Promise<DeltaContent | undefined> {
  const { env, path, manifests, deltas } = context
  for (let number = version + 1; ; number++) {
    const entry = (await readEntry(env.store, path, number))?.entry
    if (!entry) return undefined
    const mention = mentionOf(entry, ulid)
    if (!mention) continue
    const now = await manifests.current()
    if (now !== 'none' && !isOfLog(now.manifest, entry)) return undefined
    return contentOf(mention, ulid, deltas)
  }
}
