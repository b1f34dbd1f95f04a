import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { Recorder } from '../testing/recorder.ts'
import { openStore, type StoreOptions } from './open-store.ts'

/** Of a query of a process that holds nothing yet. */
async function checkExplained(options: StoreOptions, metrics: Recorder): Promise<void> {
  const store = await openStore({ ...options, compaction: 'off' })
  const notes = await store.createCollection({ name: 'notes', embeddingFunction: null })
  await notes.add({ ids: ['a'], embeddings: [[1, 2]] })
  const { explanation } = await notes.query({ queryEmbeddings: [[1, 2]], explain: true })
  expect(explanation?.requests).toBeGreaterThan(0)
  expect(explanation?.rounds).toBeGreaterThan(0)
  const rank = { $knn: { query: [1, 2] } }
  const found = await notes.search([{ rank }, { rank }], { explain: true })
  expect(found.explanation).toMatchObject({ freshRecords: 2, requests: expect.any(Number), rounds: expect.any(Number) })
  expect(Object.keys(found.explanation?.timesMs ?? {})).toEqual(['freshness', 'search'])
  expect((await notes.search({ rank })).explanation).toBeUndefined()
  await store.close()
  if (options.directory !== undefined) expect(metrics.counters.get('store_requests')).toBeGreaterThan(0)
}

it('explains queries and counts requests on a directory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-explain-'))
  const metrics = new Recorder()
  await checkExplained({ directory, metrics }, metrics)
  await rm(directory, { recursive: true })
})

it('explains queries on an environment that the caller opened', async () => {
  const metrics = new Recorder()
  await checkExplained({ environment: memoryEnvironment({ metrics }) }, metrics)
})
