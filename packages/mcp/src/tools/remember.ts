import { createHash } from 'node:crypto'
import {
  type Collection,
  type CollectionInfo,
  invalid,
  isSiltstoneError,
  metadataFromJson,
  newConfiguration,
  type QueryHits,
} from 'siltstone/internal'
import { z } from 'zod'
import { collectionName } from '../filter.ts'
import { embedOne, infoOf, type Scope } from '../scope.ts'
import { answer } from '../text.ts'
import { defineTool } from '../tool.ts'

/** 1 − cosine below which two texts say nearly the same. */
const SIMILAR = 0.1
const SIMILAR_SHOWN = 3

export const rememberTool = defineTool({
  name: 'remember',
  title: 'Remember a text',
  description:
    'Stores a text for later search. The same text twice is one record. `similar` in the answer lists records that say nearly the same: consider update instead.',
  input: z.object({
    collection: collectionName,
    text: z.string().min(1).max(1_000_000),
    id: z.string().min(1).max(1_000).optional().describe('Default: made from the text'),
    metadata: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Strings, numbers, booleans, or lists of one of these'),
    dedupe: z.boolean().default(true).describe('Look for similar records'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async run(scope, { collection: name, text, id = idOf(text), metadata, dedupe }) {
    if (text.trim() === '') throw invalid('empty-text', 'The text is empty: there is nothing to remember.')
    const stored = metadataFromJson(metadata, 'metadata', 'add', 'plain')
    const info = await madeOrFound(scope, name)
    const collection = await scope.engine.collection(info.tenant, info.database, info.id)
    const vector = await embedOne(scope, collection, text)
    const similar = dedupe ? await similarTo(collection, vector, id) : []
    const before = await collection.get({ ids: [id], include: {} })
    const { version } = await collection.write([
      { op: 'upsert', id, vector, document: text, metadata: stored, uri: null },
    ])
    const created = before.ids.length === 0
    return answer({ collection: name, id, version, created, similar }, [
      `${created ? 'Stored' : 'Stored again, in place of'} [${id}] in ${name}, version ${version}.`,
      similar.length === 0
        ? undefined
        : `Similar: ${similar.map((one) => `[${one.id}] (${one.distance})`).join(', ')}. If one is outdated, update or forget it.`,
    ])
  },
})

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}

async function madeOrFound(scope: Scope, name: string): Promise<CollectionInfo> {
  try {
    return await infoOf(scope, name)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found') || scope.collections?.includes(name) === false) throw error
    if (!scope.allowCreate)
      throw invalid(
        'create-not-allowed',
        `${error.message} This server creates none: somebody may start it with --allow-create, or create it with "siltstone collections create ${name}".`,
        { cause: error },
      )
  }
  const { tenant, database } = scope
  const { info } = await scope.engine.catalog.createCollection({
    tenant,
    database,
    name,
    getOrCreate: true,
    metadata: null,
    schema: null,
    ...newConfiguration({ configuration: { hnsw: { space: 'cosine' } } }),
  })
  return info
}

async function similarTo(collection: Collection, vector: Float32Array, id: string) {
  const { space } = collection.info
  const { hits } = await collection.query({ vectors: [vector], k: SIMILAR_SHOWN + 1, include: {} })
  const { ids, distances } = hits[0] as QueryHits
  // Vectors of texts have length 1, so their squared distance is twice 1 − cosine.
  const limit = space === 'l2' ? 2 * SIMILAR : SIMILAR
  return ids
    .map((one, i) => ({ id: one, distance: Number((distances[i] as number).toFixed(4)) }))
    .filter(({ id: one, distance }) => one !== id && distance <= limit)
    .slice(0, SIMILAR_SHOWN)
}
