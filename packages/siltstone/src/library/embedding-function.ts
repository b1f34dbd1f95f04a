/** One interface for embedding functions of the `chromadb` JavaScript client and for the collections' own embedders. */
import type { Embedder } from '../embed/port.ts'
import type { Space } from '../model/collection.ts'
import { invalid } from '../errors.ts'

/** The client's `EmbeddingFunction`; all functions of Chroma have this type. */
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
 * Embeds texts and checks the number of vectors.
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
      `the embedding function ${embedder.name ?? ''} returned ${Array.isArray(vectors) ? vectors.length : 'no'} vectors for ${texts.length} texts`,
      { field: 'embeddingFunction' },
    )
  return vectors.map((vector) => Float32Array.from(vector))
}

/** `configuration_json.embedding_function`: names the function in the configuration, so that other clients can load it. */
export function describeFunction(embeddingFunction: EmbeddingFunction | null | undefined): unknown {
  if (!embeddingFunction) return null
  const { name } = embeddingFunction
  if (!name || !embeddingFunction.getConfig) return { type: 'legacy' }
  return { type: 'known', name, config: embeddingFunction.getConfig() }
}
