/** Embedding functions of the `chromadb` JavaScript client, and the collections' own embedders, behind one face. */
import type { Embedder } from '../embed/port.ts'
import type { Space } from '../model/collection.ts'
import { invalid } from '../errors.ts'

/** The shape of the client's `EmbeddingFunction`; any of Chroma's own fits. */
export interface EmbeddingFunction {
  generate(texts: string[]): Promise<number[][]>
  generateForQueries?(texts: string[]): Promise<number[][]>
  name?: string
  defaultSpace?(): Space
  supportedSpaces?(): Space[]
  // oxlint-disable-next-line typescript/no-explicit-any -- the client's own type
  getConfig?(): Record<string, any>
}

export type Purpose = 'documents' | 'queries'

/**
 * Embeds texts and checks the answer.
 * @throws SiltstoneError `invalid` (embedding-function-answer)
 */
export async function embedTexts(
  embedder: Embedder | EmbeddingFunction,
  texts: readonly string[],
  purpose: Purpose,
): Promise<Float32Array[]> {
  if (texts.length === 0) return []
  if ('embed' in embedder) return embedder.embed(texts)
  const generate =
    purpose === 'queries' && embedder.generateForQueries
      ? embedder.generateForQueries.bind(embedder)
      : embedder.generate.bind(embedder)
  const vectors = await generate([...texts])
  if (!Array.isArray(vectors) || vectors.length !== texts.length)
    throw invalid(
      'embedding-function-answer',
      `the embedding function ${embedder.name ?? ''} gave ${Array.isArray(vectors) ? vectors.length : 'no'} vectors for ${texts.length} texts`,
      { field: 'embeddingFunction' },
    )
  return vectors.map((vector) => Float32Array.from(vector))
}

/** `configuration_json.embedding_function`: how a function is named in a collection, so that others find it again. */
export function describeFunction(embeddingFunction: EmbeddingFunction | null | undefined): unknown {
  if (!embeddingFunction) return null
  const { name } = embeddingFunction
  if (!name || !embeddingFunction.getConfig) return { type: 'legacy' }
  return { type: 'known', name, config: embeddingFunction.getConfig() }
}
