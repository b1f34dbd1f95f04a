import type { CollectionInfo } from '../model/collection.ts'
import type { CollectionSummary } from '../model/maintenance.ts'
import type { Collection } from '../model/store.ts'
import { metadataToPlain } from '../records/index.ts'

/** @param info as the catalog has it; the handle's own may lack the dimension */
export async function summaryOf(info: CollectionInfo, collection: Collection): Promise<CollectionSummary> {
  return { ...info, ...(await collection.state()), metadata: metadataToPlain(info.metadata) }
}
