/**
 * Makes one delta of records and drops it into a collection's inbox. It may write there, send the wake-up call and use the
 * embedding store, and read nothing else: collections are named by their ids, and a delta that disagrees with the collection's dimension is refused
 * by its readers (`siltstone verify` lists it).
 */
import {
  bucketLimits,
  collectionPath,
  DEFAULT_DATABASE,
  DEFAULT_TENANT,
  EmbedderRegistry,
  invalid,
  isUuid,
  type Op,
  produce,
  recordFromLine,
  type RecordOp,
  systemModels,
} from 'siltstone/internal'
import { handler } from './handler.ts'
import { embeddersOf, withSecrets } from './settings.ts'
import { once, openEnvironment } from './store.ts'

const OPS: readonly Op[] = ['add', 'upsert', 'update', 'delete']
/** Time reserved for the answer after the last attempt. */
const KEPT_MS = 5_000

export interface ProducerEvent {
  tenant?: string
  database?: string
  /** The collection's UUID. */
  collection_id: string
  /** Operation of records without `op`. Default: upsert. */
  op?: Op
  /** Like a line of `siltstone produce`: `id`, and any of `op`, `vector`, `document`, `metadata`, `uri`. */
  records: Record<string, unknown>[]
  /** As in the collection's configuration. Default: English. */
  embedding_function?: { name?: string; config?: Record<string, unknown> }
}

export interface ProducerAnswer {
  delta_key: string
  item_count: number
  size_bytes: number
}

const environmentOf = once(async () => {
  const env = await openEnvironment()
  const variables = await withSecrets(process.env)
  return { env, registry: new EmbedderRegistry({ ...env, models: systemModels, variables }, embeddersOf(variables)) }
})

export const handle = handler<ProducerEvent, ProducerAnswer>(async (event, context) => {
  const { path, records } = read(event)
  const { env, registry } = await environmentOf()
  await embed(records, event, registry)
  const retryWithinMs = Math.max(0, context.getRemainingTimeInMillis() - KEPT_MS)
  const made = await produce(env, path, { records }, { maxBytes: bucketLimits.deltaBytes, retryWithinMs })
  return { delta_key: made.key, item_count: made.records, size_bytes: made.sizeBytes }
})
export { handle as handler }

/** @throws SiltstoneError `invalid` (bad-event, bad-line) */
function read(event: ProducerEvent): { path: string; records: RecordOp[] } {
  const { tenant = DEFAULT_TENANT, database = DEFAULT_DATABASE, collection_id: collectionId, op = 'upsert' } = event
  const bad = (field: string, what: string) => invalid('bad-event', `${field} ${what}`, { field })
  if (typeof collectionId !== 'string' || !isUuid(collectionId))
    throw bad('collection_id', `is ${JSON.stringify(collectionId)}; give the collection's UUID`)
  if (!OPS.includes(op)) throw bad('op', `is ${JSON.stringify(op)}; give one of ${OPS.join(', ')}`)
  if (!Array.isArray(event.records) || event.records.length === 0)
    throw bad('records', 'is empty; give a list of {"id": "1", "document": "…"}')
  const records = event.records.map((record, at) => recordFromLine(JSON.stringify(record), `records[${at}]`, op))
  const [dimension] = records.flatMap(({ vector }) => (vector ? [vector.length] : []))
  const other = records.find(({ vector }) => vector !== null && vector.length !== dimension)
  if (other)
    throw bad(
      'records',
      `have vectors of ${dimension} and ${other.vector?.length} dimensions (${other.id}); give equal ones`,
    )
  return { path: collectionPath({ tenant, database, collectionId }), records }
}

async function embed(records: RecordOp[], event: ProducerEvent, registry: EmbedderRegistry): Promise<void> {
  const writes = records.filter(({ op, vector }) => op !== 'delete' && vector === null)
  const bare = writes.find(({ op, document }) => document === null && op !== 'update')
  if (bare)
    throw invalid('embedding-missing', `the record ${JSON.stringify(bare.id)} has neither a vector nor a document`, {
      field: 'records',
    })
  const missing = writes.filter(({ document }) => document !== null)
  if (missing.length === 0) return
  const dimension = records.find(({ vector }) => vector !== null)?.vector?.length ?? null
  const embedder = registry.forCollection({ embeddingFunction: event.embedding_function, dimension })
  const vectors = await embedder.embed(missing.map(({ document }) => document as string))
  missing.forEach((record, at) => {
    record.vector = vectors[at] as Float32Array
  })
}
