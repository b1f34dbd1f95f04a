import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CompactLimits, defaultCompactLimits } from '../compact/compact-limits.ts'
import { Compactor } from '../compact/compactor.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { unavailable } from '../errors.ts'
import { bucketLimits } from '../log/log-limits.ts'
import type { Environment } from '../ports/environment.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'
import { memoryScratch, type Scratch } from '../ports/scratch.ts'
import { noMetrics } from '../ports/telemetry.ts'
import { upsert } from '../testing/operations.ts'
import { pathOf, StoreEngine } from './engine.ts'
import { type Compacted, Invocation } from './invocation.ts'

const DIMENSION = 128
const ROWS = 150
const pace = { fixedMs: 100, bytesPerSecond: 100_000, rowsPerSecond: 1e6, multiplicationsPerSecond: 1e12 }

interface WorldOptions {
  /** Speed of the store; the clock stands still but for bytes that are moved. */
  bytesPerSecond: number
  compact?: Partial<CompactLimits>
  scratch?: Scratch
}

/** One collection in a store that takes its time. */
async function world({ bytesPerSecond, compact, scratch }: WorldOptions) {
  const clock = new ManualClock()
  const counts: Record<string, number> = {}
  const count = (name: string, amount = 1) => {
    counts[name] = (counts[name] ?? 0) + amount
  }
  const memory = memoryEnvironment({ seed: 1, clock, metrics: { ...noMetrics, count } })
  const { store } = memory
  let requests = 0
  let messages = 0
  const { queue } = memory
  const send = queue.send.bind(queue)
  queue.send = (body, options) => {
    if (body.includes('"continue"')) messages++
    return send(body, options)
  }
  const move = async (bytes: number) => {
    requests++
    await clock.advance(Math.ceil((1_000 * bytes) / bytesPerSecond))
  }
  const env: Environment = {
    ...memory,
    ...(scratch && { scratch }),
    store: forwardingStore(store, {
      get: async (key, options) => {
        const got = await store.get(key, options)
        await move(got.status === 'ok' ? got.body.length : 0)
        return got
      },
      put: async (key, body, options) => {
        await move(body.length)
        return store.put(key, body, options)
      },
      upload: async (key, options) => {
        const upload = await store.upload(key, options)
        return {
          write: async (chunk) => {
            await move(chunk.length)
            await upload.write(chunk)
          },
          complete: () => upload.complete(),
          abort: () => upload.abort(),
        }
      },
    }),
  }
  const limits = { ...defaultCompactLimits, pace, indexRows: 1, ...compact }
  const engine = await StoreEngine.open({ env, compact: limits })
  let { compactor } = engine
  const { info } = await engine.catalog.createCollection({
    tenant: 'default_tenant',
    database: 'default_database',
    name: 'things',
    getOrCreate: true,
    space: 'l2',
    metadata: null,
    configuration: {},
    schema: null,
  })
  const path = pathOf(info)
  const collection = await engine.collection(info.tenant, info.database, info.id)
  let written = 0
  const write = async (rows = ROWS) => {
    const operations = Array.from({ length: rows }, () => {
      const n = written++
      return upsert(
        `r${n}`,
        Array.from({ length: DIMENSION }, (_, d) => Math.sin(n * (d + 1))),
      )
    })
    await collection.write(operations)
  }
  return {
    clock,
    counts,
    env,
    path,
    write,
    segment: async (rows = ROWS) => {
      await write(rows)
      await engine.compact(path, { merge: false })
    },
    segments: async () => (await collection.snapshots()).find(({ current }) => current)?.segments ?? 0,
    records: () => collection.count(),
    written: () => written,
    commits: async () => (await memory.store.list(`snapshot/${path}/manifest/`)).objects.length,
    /** One invocation of a compactor that its host ends after `lengthMs`. */
    invoke: async (lengthMs: number) => {
      const controller = new AbortController()
      const deadline = { endsAtMs: clock.monotonicMs() + lengthMs, lengthMs }
      let requestsAtEnd: number | undefined
      const cancel = clock.timer(lengthMs, () => {
        requestsAtEnd = requests
        controller.abort(new Error('the time is over'))
      })
      const invocation = new Invocation({ env, compactor, deadline, signal: controller.signal })
      const compacted = await invocation.compact(path)
      cancel()
      return { ...compacted, requestsAfterEnd: requests - (requestsAtEnd ?? requests) }
    },
    /** The next invocation runs in a process that knows nothing. */
    restart: () => {
      compactor = new Compactor({ env, log: bucketLimits, limits, name: 'restarted' })
    },
    /** How many messages the invocations sent. */
    messages: () => messages,
  }
}

describe('compaction within the time of an invocation', () => {
  it.each([
    [60_000, 1],
    [24_000, 3],
  ])('merges four segments in %i ms, as many as fit', async (lengthMs, left) => {
    const made = await world({ bytesPerSecond: 150_000 })
    for (let i = 0; i < 4; i++) await made.segment()
    made.restart()
    let last: Compacted = await made.invoke(lengthMs)
    for (let i = 0; i < 5 && last.status === 'continues'; i++) last = await made.invoke(lengthMs)
    expect(last.status).toBe('done')
    expect(await made.segments()).toBe(left)
    expect(await made.records()).toBe(4 * ROWS)
    expect(await made.invoke(lengthMs)).toMatchObject({ status: 'done', merges: 0 })
  })

  it('finds out that the machine is faster than assumed, in a new process that has only merges to do', async () => {
    const made = await world({ bytesPerSecond: 2_000_000 })
    for (let i = 0; i < 4; i++) await made.segment()
    made.restart()
    expect(await made.invoke(8_000)).toMatchObject({ status: 'done', merges: 1 })
    expect(await made.segments()).toBe(1)
    expect(await made.records()).toBe(4 * ROWS)
  })

  it('rests, without an alarm, when segments are as large as the machine can make them', async () => {
    const made = await world({ bytesPerSecond: 100_000 })
    const rows = 1_100
    for (let i = 0; i < 4; i++) await made.segment(rows)
    for (let i = 0; i < 2; i++) {
      made.restart()
      expect(await made.invoke(50_000)).toMatchObject({ status: 'done', merges: 0 })
    }
    expect(made.counts['merge_cannot_fit']).toBeUndefined()
    expect(await made.segments()).toBe(4)
    // A machine with more time joins them.
    expect(await made.invoke(900_000)).toMatchObject({ status: 'done', merges: 1 })
    expect(await made.segments()).toBe(1)
    expect(await made.records()).toBe(4 * rows)
  })

  it('says that nothing fits, again at each call, and sends itself no message', async () => {
    const made = await world({ bytesPerSecond: 150_000 })
    for (let i = 0; i < 4; i++) await made.segment()
    const [commits, messages] = [await made.commits(), made.messages()]
    for (let i = 1; i <= 4; i++) {
      expect(await made.invoke(3_000)).toMatchObject({ status: 'blocked', merges: 0 })
      expect(made.counts['merge_cannot_fit']).toBe(i)
    }
    expect(await made.commits()).toBe(commits)
    expect(made.messages()).toBe(messages)
  })

  it('fails, without a message, when it committed nothing of the log', async () => {
    const made = await world({ bytesPerSecond: 1_000 })
    await made.write()
    const messages = made.messages()
    expect(await made.invoke(1_000)).toMatchObject({ status: 'failed' })
    expect(made.counts['compaction_without_progress']).toBe(1)
    expect(made.messages()).toBe(messages)
  })

  it('goes on in a later invocation after a commit', async () => {
    const made = await world({ bytesPerSecond: 100_000 })
    for (let i = 0; i < 4; i++) await made.write()
    const messages = made.messages()
    expect(await made.invoke(12_000)).toMatchObject({ status: 'continues' })
    expect(made.messages()).toBe(messages + 1)
    expect(await made.commits()).toBeGreaterThan(0)
  })

  it('merges less at once when the scratch disk is full, and says so when nothing is small enough', async () => {
    for (const [limitBytes, status, segments] of [
      [260_000, 'done', 3],
      [10_000, 'blocked', 4],
    ] as const) {
      let used = 0
      const scratch: Scratch = {
        create: async () => {
          const file = await memoryScratch.create()
          return {
            get sizeBytes() {
              return file.sizeBytes
            },
            append: async (bytes) => {
              used += bytes.length
              if (used > limitBytes) throw unavailable('disk-full', 'the scratch disk is full')
              await file.append(bytes)
            },
            read: (offset, length) => file.read(offset, length),
            discard: async () => {
              used -= file.sizeBytes
              await file.discard()
            },
          }
        },
        freeBytes: async () => limitBytes - used,
      }
      const made = await world({ bytesPerSecond: 1e9, scratch })
      for (let i = 0; i < 4; i++) await made.segment()
      expect(await made.invoke(600_000)).toMatchObject({ status })
      expect(await made.segments()).toBe(segments)
      expect(await made.records()).toBe(4 * ROWS)
    }
  })

  it('commits in each invocation, or says that nothing is due, fits or was done', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          lengthMs: fc.integer({ min: 50, max: 60_000 }),
          bytesPerSecond: fc.integer({ min: 20_000, max: 400_000 }),
          segments: fc.integer({ min: 0, max: 6 }),
          unfolded: fc.integer({ min: 0, max: 3 }),
          stepBytes: fc.constantFrom(150_000, 400_000, 1 << 30),
        }),
        async ({ lengthMs, bytesPerSecond, segments, unfolded, stepBytes }) => {
          const made = await world({ bytesPerSecond, compact: { stepBytes } })
          for (let i = 0; i < segments; i++) await made.segment()
          for (let i = 0; i < unfolded; i++) await made.write()
          let [commits, messages] = [await made.commits(), made.messages()]
          for (let calls = 0; ; calls++) {
            expect(calls).toBeLessThan(20)
            const { status, requestsAfterEnd } = await made.invoke(lengthMs)
            // A commit that is on its way is settled: manifest, pointer, due garbage.
            expect(requestsAfterEnd).toBeLessThan(10)
            const now = [await made.commits(), made.messages()] as const
            expect(now[1] - messages).toBe(status === 'continues' ? 1 : 0)
            if (status !== 'continues') break
            expect(now[0]).toBeGreaterThan(commits)
            ;[commits, messages] = now
          }
          expect(await made.records()).toBe(made.written())
        },
      ),
      { numRuns: 12 },
    )
  })
})
