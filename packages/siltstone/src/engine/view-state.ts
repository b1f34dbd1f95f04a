import { objectsOf } from '../format/manifest.ts'
import type { View } from '../log/view.ts'
import type { CollectionState } from '../model/store.ts'
import type { IndexingStatus } from '../model/write.ts'

/** What one state of a collection holds. */
export function stateOf(view: View): CollectionState {
  const { manifest } = view
  return {
    version: view.version,
    records: view.liveRecords,
    dimension: view.dimension,
    indexing: indexingOf(view),
    watermark: manifest.watermark,
    segments: manifest.segments.length,
    sizeBytes: objectsOf(manifest).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    unsequencedDeltas: view.unsequenced.length,
  }
}

export function indexingOf({ overlay, manifest }: View): IndexingStatus {
  const unindexedOps = overlay.operations
  const indexedOps = manifest.operations
  return { totalOps: indexedOps + unindexedOps, indexedOps, unindexedOps }
}
