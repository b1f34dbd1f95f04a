/** Counts the requests that making an object searchable sends to AWS, and computes what 1,000 objects cost. */
import { openIngest } from '@siltstone/objects/ingest'
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
import {
  closeEnvironment,
  EnglishEmbedder,
  type Environment,
  noMetrics,
  silentLogger,
  StoreEngine,
  systemModels,
} from 'siltstone/internal'
import { openS3Blobs, openS3Environment, openSqsQueue } from 'siltstone/internal/aws'
import { addStep } from 'siltstone/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

type Counts = Record<string, number>
const [target] = targets()

/** Of one request in us-east-1, 2026-11: PUT and LIST, GET and HEAD. */
const USD = { put: 0.005 / 1_000, get: 0.0004 / 1_000 }
const IS_WRITE = new Set(['PutObject', 'ListObjectsV2'])
const FREE = new Set(['DeleteObject', 'DeleteObjects'])

function usdOf(counts: Counts): number {
  return Object.entries(counts).reduce((sum, [command, count]) => {
    if (FREE.has(command)) return sum
    return sum + count * (IS_WRITE.has(command) ? USD.put : USD.get)
  }, 0)
}

describe.runIf(target !== undefined)('objects on AWS', () => {
  let bucket: TestBucket
  let objects: TestBucket
  let queue: TestQueue
  let wakeUps: TestQueue
  let table: TestTable
  let env: Environment
  let engine: StoreEngine
  let counts: Counts = {}
  const rows: [string, Counts][] = []

  beforeAll(async () => {
    if (target === undefined) return
    bucket = await openBucket(target)
    objects = await openBucket(target)
    queue = await openQueue(target, 5)
    wakeUps = await openQueue(target, 5)
    table = await openTable(target)
    env = await openS3Environment(bucket.url(), { variables: variables(), onClient: counted })
    engine = await StoreEngine.open({ env })
  })
  afterAll(async () => {
    console.log(asTable(rows))
    await engine.close()
    await closeEnvironment(env)
    await Promise.all([bucket, objects, queue, wakeUps, table].map((one) => one.dispose()))
  })

  const variables = () => ({
    ...(target && variablesOf(target)),
    SILTSTONE_QUEUE_URL: wakeUps.url,
    SILTSTONE_LOCK_TABLE: table.name,
  })
  const counted = (client: Parameters<typeof addStep>[0]) =>
    addStep(client, 'count', (command, _, next) => {
      counts[command] = (counts[command] ?? 0) + 1
      return next()
    })

  async function measure(name: string, work: () => Promise<unknown>): Promise<Counts> {
    counts = {}
    await work()
    // Wake-up calls are for the whole collection, at most one in 250 ms: the table of writes counts them.
    const { SendMessageBatch: _, ...mine } = counts
    rows.push([name, mine])
    return mine
  }

  it('are read and written a bounded number of times', async () => {
    const place = objects.url()
    const blobs = openS3Blobs(place, { variables: variables(), onClient: counted })
    const embedder = new EnglishEmbedder({ models: systemModels })
    const name = new URL(place).host
    const parts: Parameters<typeof openIngest>[0] = {
      environment: env,
      engine,
      embedderFor: async () => embedder,
      bucket: name,
      blobs,
      queue: openSqsQueue(queue.url, { variables: variables() }),
      log: silentLogger,
      metrics: noMetrics,
    }
    const ingest = await openIngest(parts)
    const recipients = { media: async () => undefined, task: async () => 'arn:aws:ecs:us-east-1:000000000000:task/1' }
    const handing = await openIngest({ ...parts, handOver: { own: 'function', recipients, taskAboveBytes: 2_000 } })
    const { signal } = new AbortController()
    const notified = (key: string) => JSON.stringify({ Records: [{ s3: { bucket: { name }, object: { key } } }] })
    const put = (key: string, text: string | Uint8Array) => blobs.put(key, Buffer.from(text))
    try {
      await put('uploads/first.txt', 'The first one makes the collection.')
      await ingest.handle(notified('uploads/first.txt'), signal)
      for (let n = 0; n < 5; n++) await put(`uploads/${n}.txt`, `Rivers drop mud where the water slows, ${n}.`)
      const first = await measure('a text becomes searchable', () => ingest.handle(notified('uploads/0.txt'), signal))
      // The state is claimed, noted and done; the records are one entry of the log.
      expect(first['PutObject']).toBeLessThanOrEqual(4)
      expect(first['GetObject']).toBeLessThanOrEqual(20)
      for (let n = 1; n < 5; n++) await ingest.handle(notified(`uploads/${n}.txt`), signal)
      const again = await measure('a notification of what is done', () =>
        ingest.handle(notified('uploads/0.txt'), signal),
      )
      expect(again).toEqual({ GetObject: 1, HeadObject: 1 })
      await put('uploads/0.txt', 'Glaciers carve valleys.')
      await measure('a new version', () => ingest.handle(notified('uploads/0.txt'), signal))
      await blobs.delete('uploads/1.txt')
      await measure('a deletion', () => ingest.handle(notified('uploads/1.txt'), signal))
      const swept = await measure('a sweep of 5 objects, nothing to do', () => ingest.sweep(signal))
      expect(swept['GetObject']).toBeLessThanOrEqual(10)
      await put('uploads/short.wav', recording(1_000))
      await put('uploads/long.wav', recording(4_000))
      for (const [what, key] of [
        ['a recording is handed over', 'uploads/short.wav'],
        ['a recording is handed to a task', 'uploads/long.wav'],
      ] as const) {
        const handed = await measure(what, () => handing.handle(notified(key), signal))
        // Claimed, given back, told; of a task also what was started.
        expect(handed['PutObject']).toBe(key === 'uploads/long.wav' ? 4 : 3)
      }
    } finally {
      await ingest.close()
      await handing.close()
      blobs.close()
    }
  })
})

/** A WAV file of silence. */
function recording(dataBytes: number): Uint8Array {
  const bytes = Buffer.alloc(44 + dataBytes)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(36 + dataBytes, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(16_000, 24)
  bytes.writeUInt32LE(32_000, 28)
  bytes.writeUInt16LE(2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(dataBytes, 40)
  return bytes
}

function asTable(rows: readonly [string, Counts][]): string {
  const commands = [...new Set(rows.flatMap(([, counts]) => Object.keys(counts)))].sort()
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  return [
    line(['', ...commands, 'requests of 1,000']),
    line(['---', ...commands.map(() => '---:'), '---:']),
    ...rows.map(([name, counts]) =>
      line([name, ...commands.map((command) => counts[command] ?? ''), `$${(usdOf(counts) * 1_000).toFixed(4)}`]),
    ),
  ].join('\n')
}
