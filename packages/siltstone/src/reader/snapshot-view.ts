import type { Manifest } from '../format/manifest.ts'
import { LogOverlay } from '../log/log-overlay.ts'
import { View } from '../log/view.ts'
import { BaseState } from '../snapshot/base-state.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'

/** A snapshot without the log. */
export async function snapshotView(pool: SegmentPool, manifest: Manifest, manifestKey: string | null): Promise<View> {
  const overlay = new LogOverlay(await BaseState.open(pool, manifest)).view()
  return new View({ version: manifest.watermark, manifestKey, manifest, overlay, unsequenced: [] })
}
