/**
 * Converts the bodies of add, upsert and update to record operations.
 *
 * Chroma's clients send vectors. As an extension, the collection's embedder embeds a record of add or upsert that has a
 * document but no vector. An update without a vector keeps the record's vector, as Chroma specifies; with `"embed": true`,
 * the server embeds the update's documents.
 */
import { yieldToEventLoop } from '#codec'
import { invalid, isSiltstoneError } from '../../errors.ts'
import { Pacer } from '../../pacer.ts'
import { dedupeBatch } from '../../records/apply.ts'
import { metadataFromJson } from '../../records/metadata-json.ts'
import type { RecordOp } from '../../model/record.ts'
import { type Fields, readBoolean, readList, readNullableStrings } from './fields.ts'
import { badShape, badValue } from './problem.ts'
import { idsReader, type RequestLimits } from './request-limits.ts'
import { readVectors } from './vectors.ts'

export type RecordsOp = 'add' | 'upsert' | 'update'

/** Embeds documents; undefined when the server has no embedders. */
export type EmbedTexts = (texts: readonly string[]) => Promise<Float32Array[]>

/**
 * @throws ApiProblem 422 (types), SiltstoneError `invalid` (values), and the embedder's errors
 */
export async function readRecords(
  op: RecordsOp,
  body: Fields,
  embed: EmbedTexts | undefined,
  limits: RequestLimits,
): Promise<readonly RecordOp[]> {
  const ids = body.required('ids', idsReader(limits, 'maxRecords'))
  const given = await readEmbeddings(op, body, embed !== undefined)
  const documents = body.optional('documents', readNullableStrings)
  const uris = body.optional('uris', readNullableStrings)
  const metadatas = await body.optional('metadatas', (json, path) => readMetadatas(json, path, op))
  for (const list of [given, documents, uris, metadatas]) {
    if (list !== undefined && list.length !== ids.length) throw differentLengths()
  }
  if (ids.includes('')) {
    throw invalid('empty-id', 'Empty ID, ID must have at least one character', { field: 'ids' })
  }
  const records = dedupeBatch(
    ids.map((id, i) => ({
      op,
      id,
      vector: given?.[i] ?? null,
      document: documents?.[i] ?? null,
      metadata: metadatas?.[i] ?? null,
      uri: uris?.[i] ?? null,
    })),
  )
  const wantsVectors = op === 'update' ? body.optional('embed', readBoolean) === true : true
  return wantsVectors ? withVectors(records, op, embed) : records
}

/** @returns undefined without embeddings, which is allowed for updates and where the server can embed */
async function readEmbeddings(
  op: RecordsOp,
  body: Fields,
  canEmbed: boolean,
): Promise<(Float32Array | null)[] | undefined> {
  const vectors = await body.optional('embeddings', (json, path) => readVectors(json, path, yieldToEventLoop))
  if (op === 'update') return vectors
  if (vectors === undefined && !(canEmbed && body.has('documents'))) throw body.missing('embeddings')
  const missing = canEmbed ? -1 : (vectors?.indexOf(null) ?? -1)
  if (missing >= 0) throw badShape(`embeddings[${missing}]`, 'invalid type: null, expected a sequence')
  return vectors
}

/** Characters of metadata that are written between two pauses. */
const SLICE_CHARACTERS = 250_000

async function readMetadatas(json: unknown, path: string, op: RecordsOp): Promise<(string | null)[]> {
  const mode = op === 'add' ? 'add' : 'patch'
  const texts: (string | null)[] = []
  const pacer = new Pacer(SLICE_CHARACTERS, yieldToEventLoop)
  for (const [i, item] of readList(json, path).entries()) {
    try {
      texts.push(metadataFromJson(item, `${path}[${i}]`, mode))
    } catch (error) {
      throw metadataProblem(error, path, i)
    }
    const due = pacer.spend(50 + (texts[i]?.length ?? 0))
    if (due) await due
  }
  return texts
}

/** A wrong type is 422 with Chroma's message, a wrong key or sparse vector 400; both end with the detail. */
function metadataProblem(error: unknown, path: string, index: number): unknown {
  if (!isSiltstoneError(error, 'invalid')) return error
  if (error.code === 'metadata-type') return wrongMetadataType(error.field ?? path, error.message)
  return badValue(path, `Invalid metadata at index ${index} (${error.message})`)
}

export function wrongMetadataType(path: string, detail: string): Error {
  return badShape(path, `data did not match any variant of untagged enum MetadataValue (${detail})`)
}

async function withVectors(
  records: readonly RecordOp[],
  op: RecordsOp,
  embed: EmbedTexts | undefined,
): Promise<readonly RecordOp[]> {
  const bare = records.filter((record) => record.vector === null && (op !== 'update' || record.document !== null))
  if (bare.length === 0) return records
  if (embed === undefined) throw badShape('embed', 'this server has no embedders; send embeddings')
  const texts = bare.map(({ id, document }) => {
    if (document !== null) return document
    throw badValue('embeddings', `record ${JSON.stringify(id)} has neither an embedding nor a document to embed`)
  })
  const vectors = await embed(texts)
  const made = new Map(bare.map((record, i) => [record, vectors[i] as Float32Array]))
  return records.map((record) => {
    const vector = made.get(record)
    return vector === undefined ? record : { ...record, vector }
  })
}

function differentLengths(): Error {
  return invalid('different-lengths', 'Inconsistent number of IDs, embeddings, documents, URIs and metadatas', {
    field: 'ids',
  })
}
