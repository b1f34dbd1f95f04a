import type { CollectionSummary } from '../types.ts'

/** What each view of a collection gets. */
export interface CollectionProps {
  tenant: string
  database: string
  info: CollectionSummary
  /** Path of Siltstone's endpoints of this collection. */
  own: string
  reload: () => void
}
