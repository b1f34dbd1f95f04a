/** Counts the requests that each operation sends to AWS, and compares them with docs/decisions. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openS3Environment } from 'siltstone/internal/aws'
import { addStep } from 'siltstone/testing'
import { closeEnvironment, type Environment } from 'siltstone/internal'
import { openStore, type Store } from 'siltstone'
import {
  openBucket,
  openQueue,
  openTable,
  targets,
  type TestBucket,
  type TestQueue,
  type TestTable,
  variablesOf,
} from '@siltstone/emulated-aws'

type Counts = Record<string, number>

const DIMENSIONS = 32
const vectorOf = (id: number) => Array.from({ length: DIMENSIONS }, (_, at) => Math.sin(id * (at + 1)))
const batch = (from: number, count: number) => {
  const numbers = Array.from({ length: count }, (_, at) => from + at)
  return {
    ids: numbers.map(String),
    embeddings: numbers.map(vectorOf),
    documents: numbers.map((id) => `document ${id}`),
  }
}

interface Opened {
  store: Store
  env: Environment
  /** The requests since the last call. */
  take(): Counts
  /** Waits for a request with this command. */
  has(command: string): Promise<void>
  close(): Promise<void>
}

const [target] = targets()

describe.runIf(target !== undefined)('requests', () => {
  let bucket: TestBucket
  let queue: TestQueue
  let table: TestTable
  let place: string
  const rows: [string, Counts][] = []

  beforeAll(async () => {
    if (target === undefined) return
    bucket = await openBucket(target)
    queue = await openQueue(target, 5)
    table = await openTable(target)
    place = bucket.url()
  })
  afterAll(async () => {
    console.log(asTable(rows))
    await Promise.all([bucket.dispose(), queue.dispose(), table.dispose()])
  })

  /** Opens the store as a separate process would. */
  async function open(): Promise<Opened> {
    let counts: Counts = {}
    const variables = {
      ...(target && variablesOf(target)),
      SILTSTONE_QUEUE_URL: queue.url,
      SILTSTONE_LOCK_TABLE: table.name,
    }
    const env = await openS3Environment(place, {
      variables,
      onClient: (client) =>
        addStep(client, 'count', (command, _, next) => {
          counts[command] = (counts[command] ?? 0) + 1
          return next()
        }),
    })
    const store = await openStore({ environment: env })
    const take = () => {
      const taken = counts
      counts = {}
      return taken
    }
    const close = async () => {
      await store.close()
      await closeEnvironment(env)
    }
    const has = (command: string) => vi.waitFor(() => expect(counts[command]).toBe(1), { timeout: 10_000 })
    return { store, env, take, has, close }
  }

  async function measure(name: string, opened: Opened, work: () => Promise<unknown>): Promise<Counts> {
    opened.take()
    await work()
    const counts = opened.take()
    rows.push([name, counts])
    return counts
  }

  it('are at most those of docs/decisions', async () => {
    const writer = await open()
    const things = await writer.store.createCollection({ name: 'things', embeddingFunction: null })
    await things.upsert(batch(0, 1))
    await writer.has('SendMessageBatch')

    const write = await measure('write, one request or a group', writer, () => things.upsert(batch(1, 100)))
    // One PUT, and one LIST of the inbox.
    expect(write).toEqual({ PutObject: 1, ListObjectsV2: 1 })

    const wake = await measure('wake-up call, 250 ms after the first write of a burst', writer, () =>
      writer.has('SendMessageBatch'),
    )
    expect(wake).toEqual({ SendMessageBatch: 1 })

    const own = await measure('strong read of what this process knows', writer, () =>
      things.query({ queryEmbeddings: [vectorOf(1)], nResults: 5 }),
    )
    expect(own).toEqual({ GetObject: 1, ListObjectsV2: 1 })

    const fold = await measure('fold of 2 entries into the first segment', writer, () => things.compact())
    expect(fold['PutObject']).toBeLessThanOrEqual(8)
    // The log and the inbox together, before and after.
    expect(fold['ListObjectsV2']).toBe(2)
    expect(fold['UpdateItem']).toBeLessThanOrEqual(4)

    const reader = await open()
    const opening = reader.take()
    rows.push(['cold: open the store', opening])
    // The store's descriptor, and the probe of conditional puts, which is omitted on AWS itself.
    expect(opening['GetObject']).toBe(1)
    const other = await measure('cold: find the collection by name', reader, () =>
      reader.store.getCollection({ name: 'things' }),
    )
    expect(other['GetObject']).toBeLessThanOrEqual(4)
    const coldThings = await reader.store.getCollection({ name: 'things', embeddingFunction: null })
    const cold = await measure('cold query, after a fold', reader, () =>
      coldThings.query({ queryEmbeddings: [vectorOf(1)], nResults: 5 }),
    )
    expect(cold['ListObjectsV2']).toBe(1)
    expect(cold['GetObject']).toBeLessThanOrEqual(12)

    const found = await measure('warm query, nothing new', reader, () =>
      coldThings.query({ queryEmbeddings: [vectorOf(2)], nResults: 5 }),
    )
    expect(found['ListObjectsV2']).toBe(1)

    await things.upsert(batch(200, 10))
    const fresh = await measure('warm query, after one write by another process', reader, () =>
      coldThings.query({ queryEmbeddings: [vectorOf(205)], nResults: 5 }),
    )
    expect(fresh['ListObjectsV2']).toBe(1)

    for (let at = 0; at < 10; at++) await things.upsert(batch(300 + 10 * at, 10))
    await measure('fold of 11 entries', writer, () => things.compact())
    await measure('compaction with nothing to do', writer, () => things.compact())
    await Promise.all([writer.close(), reader.close()])
  })
})

function asTable(rows: readonly [string, Counts][]): string {
  const commands = [...new Set(rows.flatMap(([, counts]) => Object.keys(counts)))].sort()
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  return [
    line(['', ...commands]),
    line(['---', ...commands.map(() => '---:')]),
    ...rows.map(([name, counts]) => line([name, ...commands.map((command) => counts[command] ?? '')])),
  ].join('\n')
}
