import {
  ChromaClient,
  type EmbeddingFunction,
  type EmbeddingFunctionClass,
  getEmbeddingFunction,
  processCreateCollectionConfig,
  registerEmbeddingFunction,
  serializeEmbeddingFunction,
} from 'chromadb'
import { describe, expect, it } from 'vitest'
import { SiltstoneEnglishEmbeddingFunction } from './chroma-function.ts'
import { EnglishEmbedder } from '../embed/english/index.ts'
import { systemModels } from '../host/model-host.ts'

const asClass: EmbeddingFunctionClass = SiltstoneEnglishEmbeddingFunction
registerEmbeddingFunction('siltstone-english', asClass)
const embeddingFunction: EmbeddingFunction = new SiltstoneEnglishEmbeddingFunction()
const client = new ChromaClient()

describe('SiltstoneEnglishEmbeddingFunction in the chromadb client', () => {
  it('embeds records and queries alike', async () => {
    const texts = ['a cat sits', '']
    const expected = (await new EnglishEmbedder({ models: systemModels }).embed(texts)).map((vector) =>
      Array.from(vector),
    )
    expect(await embeddingFunction.generate(texts)).toEqual(expected)
    expect(await embeddingFunction.generateForQueries?.(texts)).toEqual(expected)
  })

  it('survives the way through a collection’s configuration', async () => {
    const efConfig = serializeEmbeddingFunction({ embeddingFunction })
    expect(efConfig).toEqual({ type: 'known', name: 'siltstone-english', config: { model: 'siltstone-english-1' } })
    const again = await getEmbeddingFunction({ client, ...(efConfig === undefined ? {} : { efConfig }) })
    expect(again).toBeInstanceOf(SiltstoneEnglishEmbeddingFunction)
  })

  it('makes collections of cosine distance', async () => {
    const config = await processCreateCollectionConfig({
      configuration: undefined,
      embeddingFunction,
      metadata: undefined,
    } as never)
    expect(config).toMatchObject({
      hnsw: { space: 'cosine' },
      embedding_function: { type: 'known', name: 'siltstone-english' },
    })
    expect(embeddingFunction.supportedSpaces?.()).toContain(embeddingFunction.defaultSpace?.())
  })

  it('refuses another model', () => {
    const config = { model: 'siltstone-english-0' }
    expect(() => asClass.buildFromConfig(config)).toThrow(/siltstone-english-1/)
    expect(() => embeddingFunction.validateConfig?.(config)).toThrow(/siltstone-english-1/)
    expect(() => embeddingFunction.validateConfigUpdate?.(config)).toThrow(/siltstone-english-1/)
  })
})
