/**
 * Changes to rows of existing segments: deletions become bitmaps, changed columns become overlays. Both address rows by
 * their segment and number in one given state, so a commit that is rebased writes them again.
 */
import { corrupt } from '../errors.ts'
import { crcHex } from '../format/checksum.ts'
import { bitmapKey, overlayFileKey } from '../format/keys.ts'
import type { DeletionsRef, SegmentRef } from '../format/manifest.ts'
import { type OverlayDescriptor, type OverlayRow, OverlayWriter } from '../format/segment/overlay.ts'
import type { Environment } from '../ports/environment.ts'
import { putImmutable } from '../snapshot/manifest-store.ts'
import { loadDeletions } from '../snapshot/open-segment.ts'
import { encodeRowSet } from '../format/roaring.ts'
import { RowSet } from '../format/row-set.ts'

const INLINE_BITMAP_BYTES = 16 * 1024

export interface RowChanges {
  /** By segment index. */
  deleted: ReadonlyMap<number, readonly number[]>
  overlaid: ReadonlyMap<number, readonly OverlayRow[]>
}

/**
 * @returns the segments with the changes, without segments that have no live row left
 * @throws SiltstoneError `corrupt` when a row to delete is deleted already: the counts would be wrong
 */
export async function applyChanges(
  env: Environment,
  path: string,
  segments: readonly SegmentRef[],
  changes: RowChanges,
): Promise<SegmentRef[]> {
  const changed = await Promise.all(
    segments.map(async (ref, i) => {
      const deletions = await addDeletions(env, path, ref, changes.deleted.get(i) ?? [])
      if (deletions && deletions.count === ref.segment.rows) return undefined
      const rows = changes.overlaid.get(i) ?? []
      if (rows.length === 0) return { ...ref, deletions }
      const descriptor = await writeOverlay(env, path, rows)
      return { ...ref, deletions, overlays: [...ref.overlays, descriptor] }
    }),
  )
  return changed.filter((ref) => ref !== undefined)
}

export async function writeOverlay(
  env: Environment,
  path: string,
  rows: readonly OverlayRow[],
): Promise<OverlayDescriptor> {
  const id = env.ids.ulid()
  const chunks: Uint8Array[] = []
  const write = async (chunk: Uint8Array) => {
    chunks.push(chunk.slice())
  }
  const writer = new OverlayWriter({ id, key: overlayFileKey(path, id, 'data'), open: async () => ({ write }) })
  for (const row of [...rows].sort((a, b) => a.row - b.row)) await writer.append(row)
  const descriptor = await writer.finish()
  const bytes = Buffer.concat(chunks)
  await store(env, descriptor.key, bytes)
  return descriptor
}

async function addDeletions(
  env: Environment,
  path: string,
  ref: SegmentRef,
  rows: readonly number[],
): Promise<DeletionsRef | null> {
  if (rows.length === 0) return ref.deletions
  const set = (await loadDeletions(env.store, ref.deletions, ref.segment.rows)) ?? new RowSet(ref.segment.rows)
  for (const row of rows) {
    if (set.has(row)) throw corrupt('count-mismatch', `row ${row} of segment ${ref.segment.id} is deleted already`)
    set.add(row)
  }
  return storeDeletions(env, path, set)
}

async function storeDeletions(env: Environment, path: string, set: RowSet): Promise<DeletionsRef | null> {
  const count = set.count()
  if (count === 0) return null
  const bytes = encodeRowSet(set)
  if (bytes.length <= INLINE_BITMAP_BYTES) return { count, inline: Buffer.from(bytes).toString('base64') }
  const key = bitmapKey(path, env.ids.ulid())
  await store(env, key, bytes)
  return { count, object: { key, sizeBytes: bytes.length, crc32: crcHex(bytes) } }
}

/** Writes an object and reads it back. @throws SiltstoneError `corrupt` (checksum-mismatch) */
async function store(env: Environment, key: string, bytes: Uint8Array): Promise<void> {
  await putImmutable(env, key, bytes)
  const got = await env.store.get(key)
  if (got.status !== 'ok' || got.body.length !== bytes.length || crcHex(got.body) !== crcHex(bytes))
    throw corrupt('checksum-mismatch', `${key} does not hold what was written`, { key })
}

/** Live rows of a list of segments, as the list itself counts them. */
export function countLive(segments: readonly SegmentRef[]): number {
  return segments.reduce((sum, ref) => sum + ref.segment.rows - (ref.deletions?.count ?? 0), 0)
}
