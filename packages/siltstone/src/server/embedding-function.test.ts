import { readFileSync } from 'node:fs'
import { ChromaClient, registerEmbeddingFunction } from 'chromadb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { EMBEDDING_FUNCTION_NAME, EnglishEmbeddingFunction } from '../embedding-function.ts'
import { systemModels } from '../host/model-host.ts'
import { EnglishEmbedder } from '../embed/english/index.ts'
import { StoreEngine } from '../engine/engine.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { RunningServer } from './server.ts'
import { startTestServer } from './testing/server.ts'

const checks = JSON.parse(readFileSync(new URL('../../../embedder-english/checks.json', import.meta.url), 'utf8')) as {
  text: string
  vector: number[]
}[]

let server: RunningServer
let client: ChromaClient
beforeAll(async () => {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const embedder = new EnglishEmbedder({ models: systemModels })
  server = await startTestServer({ engine, embedderFor: async () => embedder })
  client = new ChromaClient({ host: '127.0.0.1', port: server.port })
  registerEmbeddingFunction(EMBEDDING_FUNCTION_NAME, EnglishEmbeddingFunction)
})
afterAll(() => server.close())

it('gives the numbers of the model', async () => {
  const vectors = await new EnglishEmbeddingFunction().generate(checks.map(({ text }) => text))
  for (const [i, { vector }] of checks.entries())
    for (const [d, x] of vector.entries()) expect(Math.abs(x - (vectors[i]?.[d] as number))).toBeLessThan(1e-5)
})

it('embeds for the official client, which finds it again by the name in the collection', async () => {
  const embeddingFunction = new EnglishEmbeddingFunction()
  const notes = await client.createCollection({ name: 'notes', embeddingFunction })
  await notes.add({ ids: ['a', 'b'], documents: ['Silt settles slowly.', 'Rivers carry sand.'] })
  expect(notes.configuration).toMatchObject({ embedding_function: { name: 'siltstone-english' } })
  const again = await client.getCollection({ name: 'notes' })
  const { ids } = await again.query({ queryTexts: ['What do streams transport?'], nResults: 1 })
  expect(ids).toEqual([['b']])
})

it('has the vectors of the server, to the bit', async () => {
  const notes = await client.getCollection({ name: 'notes' })
  await fetch(`${server.url}/api/v2/tenants/default_tenant/databases/default_database/collections/${notes.id}/add`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ids: ['c'], documents: ['Rivers carry sand.'] }),
  })
  const { embeddings } = await notes.get({ ids: ['b', 'c'], include: ['embeddings'] })
  expect(embeddings[0]).toEqual(embeddings[1])
})

it('refuses a collection of another model', () => {
  expect(EnglishEmbeddingFunction.buildFromConfig({}).name).toBe('siltstone-english')
  expect(() => EnglishEmbeddingFunction.buildFromConfig({ model: 'siltstone-english-9' })).toThrow(
    'siltstone-english-9',
  )
})
