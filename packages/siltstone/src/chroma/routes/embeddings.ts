/**
 * The embedding store over HTTP. Its ids belong to no tenant, so a token needs access to all tenants and databases.
 */
import { unsupported } from '../../errors.ts'
import { embeddingMissing } from '../../embed/store.ts'
import { contentId } from '../../embed/stored-embedding.ts'
import { embeddingKey } from '../../format/keys.ts'
import { requireWrite } from '../access.ts'
import { objectText } from '../answers.ts'
import { withProvider } from '../call.ts'
import { bool, list, object, text, uint } from '../openapi-schemas.ts'
import type { ChromaOptions } from '../options.ts'
import { type Answer, type Call, json, type Route } from '../route.ts'
import { readBoolean, readString } from '../wire/fields.ts'
import { floatsText } from '../wire/float-text.ts'
import { readVector } from '../wire/vectors.ts'

const ONE = '/embeddings/{id}'
const number = { type: 'number' }
const stored = { id: text, dimension: uint, stored_in_s3: bool, s3_key: text }

export const embeddingRoutes: Route[] = [
  {
    method: 'POST',
    path: '/embeddings/generate',
    operation: 'generate_embedding',
    tag: 'Embedding',
    summary: 'The embedding of a text: the stored one of this id, text and model, or a new one',
    access: 'read',
    allTenants: true,
    body: object({ text, embedding_id: text, store_in_s3: bool }, ['text']),
    answer: object({
      embedding_id: text,
      embedding: list(number),
      dimension: uint,
      model: text,
      processing_time_ms: number,
      stored_in_s3: bool,
      s3_key: { type: ['string', 'null'] },
    }),
    handle: generate,
  },
  {
    method: 'GET',
    path: ONE,
    operation: 'get_embedding',
    tag: 'Embedding',
    summary: 'A stored embedding',
    access: 'read',
    allTenants: true,
    answer: object({ id: text, embedding: list(number), dimension: uint, model: { type: ['string', 'null'] } }),
    handle: get,
  },
  {
    method: 'PUT',
    path: ONE,
    operation: 'put_embedding',
    tag: 'Embedding',
    summary: 'Stores an embedding, gzipped unless compress is false; replaces the one before',
    access: 'write',
    allTenants: true,
    body: object({ embedding: list(number), model: text, compress: bool }, ['embedding']),
    answer: object(stored),
    handle: put,
  },
  {
    method: 'DELETE',
    path: ONE,
    operation: 'delete_embedding',
    tag: 'Embedding',
    summary: 'Deletes a stored embedding; a missing one is no error',
    access: 'write',
    allTenants: true,
    answer: object({ id: text }),
    handle: remove,
  },
]

/** @throws SiltstoneError `unsupported` (no-embedding-store) */
function embeddingsOf({ options }: Call): NonNullable<ChromaOptions['embeddings']> {
  if (options.embeddings !== undefined) return options.embeddings
  throw unsupported('no-embedding-store', 'This server has no embedding store')
}

async function generate(call: Call): Promise<Answer> {
  const { store, embedder: embedderOf } = embeddingsOf(call)
  const { clock } = call.options
  const startedMs = clock.monotonicMs()
  const body = await call.body()
  const source = body.required('text', readString)
  const asked = body.optional('embedding_id', readString)
  const keep = body.optional('store_in_s3', readBoolean) ?? false
  if (keep) requireWrite(call.identity, call.options)
  const { id, key, embedding, model } = await withProvider(async () => {
    const embedder = embedderOf()
    const wanted = asked ?? contentId(embedder.model, source)
    if (keep) return store.getOrGenerate(wanted, source, embedder)
    const found = asked === undefined ? undefined : await store.find(wanted, source, embedder.model)
    if (found !== undefined) return found
    const [made] = (await embedder.embed([source])) as [Float32Array]
    return { id: wanted, key: null, embedding: made, model: embedder.model }
  })
  return {
    text: objectText({
      embedding_id: JSON.stringify(id),
      embedding: floatsText(embedding),
      dimension: String(embedding.length),
      model: JSON.stringify(model),
      processing_time_ms: String(Math.round((clock.monotonicMs() - startedMs) * 1000) / 1000),
      stored_in_s3: String(key !== null),
      s3_key: JSON.stringify(key),
    }),
  }
}

async function get(call: Call): Promise<Answer> {
  const id = call.param('id')
  const found = await embeddingsOf(call).store.get(id)
  if (found === undefined) throw embeddingMissing(id)
  return {
    text: objectText({
      id: JSON.stringify(id),
      embedding: floatsText(found.embedding),
      dimension: String(found.embedding.length),
      model: JSON.stringify(found.model ?? null),
    }),
  }
}

async function put(call: Call): Promise<Answer> {
  const { store } = embeddingsOf(call)
  const id = call.param('id')
  const body = await call.body()
  const embedding = body.required('embedding', readVector)
  const model = body.optional('model', readString)
  const compressed = body.optional('compress', readBoolean) ?? true
  const key = embeddingKey(id, compressed)
  await store.put({ id, embedding, model, compressed })
  return json({ id, dimension: embedding.length, stored_in_s3: true, s3_key: key })
}

async function remove(call: Call): Promise<Answer> {
  const id = call.param('id')
  await embeddingsOf(call).store.delete(id)
  return json({ id })
}
