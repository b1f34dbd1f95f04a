import type { Clock } from '../../../ports/clock.ts'
import type { Ids } from '../../../ports/ids.ts'
import type { BlobFiles } from './blob-files.ts'
import type { BlobIndex } from './blob-index.ts'

/** What the buckets of one directory share. */
export interface BlobParts {
  index: BlobIndex
  files: BlobFiles
  clock: Clock
  ids: Ids
}
