/**
 * A function that is attached to a collection: its output is a collection, whose records are computed from the other one's
 * (see `refresh.ts`). The output's configuration holds the attachment, so attaching, renaming and detaching are changes of one
 * object, and an attachment without an output cannot be.
 */
import type { Catalog, CollectionInfo } from '../../model/collection.ts'

/** What can be attached, and what Chroma Cloud has besides. */
export const FUNCTIONS = ['statistics', 'record_counter'] as const
export const OTHER_FUNCTIONS: readonly string[] = [
  'revision_history',
  'http_generate',
  'http_currents',
  'dummy_async',
  'count_to_file_async',
]
export type FunctionName = (typeof FUNCTIONS)[number]

export interface AttachedFunction {
  id: string
  name: string
  functionName: FunctionName
  inputCollectionId: string
  /** As it was sent. */
  params: unknown
}

const FIELD = 'attached_function'

export function attachedOf(info: Pick<CollectionInfo, 'configuration'>): AttachedFunction | undefined {
  return info.configuration[FIELD] as AttachedFunction | undefined
}

export function withAttached(
  configuration: Record<string, unknown>,
  attached: AttachedFunction | undefined,
): Record<string, unknown> {
  const { [FIELD]: _, ...rest } = configuration
  return attached === undefined ? rest : { ...rest, [FIELD]: attached }
}

/** The outputs of the functions that are attached to a collection. Reads the list of the database's collections. */
export async function outputsOf(catalog: Catalog, input: CollectionInfo): Promise<CollectionInfo[]> {
  const all = await catalog.listCollections(input.tenant, input.database)
  return all.filter((info) => attachedOf(info)?.inputCollectionId === input.id)
}
