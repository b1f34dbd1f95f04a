/** A state of the past, rebuilt from a kept manifest and the entries after it. */
import { notFound } from '../errors.ts'
import { emptyManifest } from '../format/manifest.ts'
import { AppliedLog, type AppliedLogOptions, dimensionClash } from './applied-log.ts'
import { isOfLog } from './folded-record.ts'
import { type InboxObject, listTail } from './listing.ts'
import { Vanished } from './vanished.ts'
import { View } from './view.ts'

export interface PastState {
  /** null: the empty collection before the first commit. */
  manifestKey: string | null
  version: number
  /** Deltas that were shown though no entry had sequenced them. */
  unsequenced: readonly InboxObject[]
}

/** @throws SiltstoneError `not-found` (gone) when manifest, entries, their record or deltas are no longer kept */
export async function pastView(
  { store, path, pool, manifests, deltas }: AppliedLogOptions,
  { manifestKey, version, unsequenced }: PastState,
): Promise<View> {
  const gone = () => notFound('gone', `version ${version} of ${path} is no longer kept`)
  const manifest = manifestKey === null ? emptyManifest(path) : await manifests.load(manifestKey)
  if (!manifest || manifest.watermark > version) throw gone()
  // A pool of its own: what the past needs is not what the present keeps open.
  const past = new AppliedLog({ store, path, pool: pool.sibling(), manifests, deltas: deltas.sibling() })
  await past.install(manifest)
  const listing = await listTail(store, path, manifest.watermark, false)
  const wanted = listing.entries.filter((entry) => entry.number <= version)
  try {
    if (wanted.length !== version - manifest.watermark) throw gone()
    await past.extend(wanted)
    const now = await manifests.current()
    // A number below the watermark may hold a stray; one without a record may be the log's, but nobody can tell.
    if (now !== 'none' && past.entries().some((entry) => !isOfLog(now.manifest, entry))) throw gone()
    for (const { ulid, etag, sizeBytes } of unsequenced) {
      if (past.isMentioned(ulid)) continue
      const delta = await deltas.get(ulid, etag, sizeBytes)
      if (delta.status === 'gone' || delta.status === 'changed') throw gone()
      if (delta.status === 'ok' && dimensionClash(delta.records, past.overlay.dimension) === undefined)
        await past.overlay.apply(delta.records, version + 1)
    }
  } catch (error) {
    if (error instanceof Vanished) throw gone()
    throw error
  }
  return new View({ version, manifestKey, manifest, overlay: past.overlay.view(), unsequenced })
}
