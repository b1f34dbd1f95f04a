import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openEmbeddingStore, retrieveEmbedding, storeCompressed, storeEmbedding } from '../embed.ts'
import { placeFromVariables } from '../drivers/place-variables.ts'
import { Recorder } from '../testing/recorder.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-embeddings-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(directory, { recursive: true, force: true })
})

describe('siltstone/embed', () => {
  it('stores as other programs read it, in a directory as in a bucket', async () => {
    const log = new Recorder()
    await using store = await openEmbeddingStore(directory, { logger: log })
    await store.embeddings.storeEmbedding('doc-1', [0.1, 2])
    expect(JSON.parse(await readFile(join(directory, 'embeddings/doc-1.json'), 'utf8'))).toEqual({
      id: 'doc-1',
      embedding: [0.1, 2],
      dimension: 2,
    })
    await store.embeddings.storeCompressed('doc-1', [3])
    expect(await readdir(join(directory, 'embeddings'))).toEqual(['doc-1.json.gz'])
    const packed = await readFile(join(directory, 'embeddings/doc-1.json.gz'))
    expect(JSON.parse(gunzipSync(packed).toString())).toMatchObject({ embedding: [3] })
    expect(await store.embeddings.retrieveEmbedding('doc-1')).toEqual(Float32Array.of(3))
    await expect(store.embeddings.retrieveEmbedding('none')).rejects.toMatchObject({ code: 'embedding-missing' })
    expect(log.events.map(({ event }) => event)).toEqual([
      'vector_stored',
      'vector_stored',
      'vector_retrieved',
      'vector_not_found',
    ])
  })

  it('generates with the built-in embedder', async () => {
    await using store = await openEmbeddingStore(directory)
    const { embedding, key } = await store.generate('a', 'Silt settles.')
    expect([embedding.length, key]).toEqual([256, 'embeddings/a.json.gz'])
    expect(await store.embeddings.retrieveEmbedding('a')).toEqual(embedding)
  })

  it('has functions for the store of the environment variables', async () => {
    vi.stubEnv('SILTSTONE_DATA', directory)
    await storeEmbedding('a', [1])
    expect(await retrieveEmbedding('a')).toEqual(Float32Array.of(1))
    await storeCompressed('a', Float32Array.of(2))
    expect(await retrieveEmbedding('a')).toEqual(Float32Array.of(2))
  })

  it('says what to set when no variable names a store', async () => {
    for (const name of ['SILTSTONE_DATA', 'VECTOR_BUCKET_NAME', 'CHROMADB_BUCKET']) vi.stubEnv(name, '')
    for (const attempt of [() => retrieveEmbedding('a'), () => openEmbeddingStore()])
      await expect(attempt()).rejects.toMatchObject({
        code: 'no-store',
        message: expect.stringContaining('VECTOR_BUCKET_NAME'),
      })
  })
})

describe('the place by variables', () => {
  it.each([
    [{}, undefined],
    [{ SILTSTONE_DATA: '' }, undefined],
    [{ VECTOR_BUCKET_NAME: 'b' }, 's3://b'],
    [{ CHROMADB_BUCKET: 'c' }, 's3://c'],
    [{ VECTOR_BUCKET_NAME: '', CHROMADB_BUCKET: 'c' }, 's3://c'],
    [{ VECTOR_BUCKET_NAME: 'b', CHROMADB_BUCKET: 'c' }, 's3://b'],
    [{ DELTA_BUCKET: 'd', DELTA_PREFIX: 'delta/' }, 's3://d'],
    [
      { CHROMADB_BUCKET: 'c', DELTA_QUEUE_URL: 'https://q/1', DYNAMODB_TABLE: 't' },
      's3://c?queueUrl=https%3A%2F%2Fq%2F1&lockTable=t',
    ],
    [{ CHROMADB_BUCKET: 'c', SILTSTONE_LOCK_TABLE: 'ours', DYNAMODB_TABLE: 't' }, 's3://c?lockTable=ours'],
    [{ DYNAMODB_TABLE: 't' }, undefined],
    [{ SILTSTONE_DATA: './data', VECTOR_BUCKET_NAME: 'b' }, './data'],
  ])('%j: %s', (variables, place) => expect(placeFromVariables(variables)).toBe(place))

  it('refuses another prefix of deltas, with the remedy', () => {
    expect(() => placeFromVariables({ DELTA_BUCKET: 'd', DELTA_PREFIX: 'deltas/' })).toThrow(
      'set SILTSTONE_DATA to s3://d/prefix',
    )
  })
})
