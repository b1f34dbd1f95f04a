import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Environment } from '../ports/environment.ts'
import { noMetrics } from '../ports/telemetry.ts'
import { closeEnvironment } from './directory/directory-environment.ts'
import { instrumented, withDiskCache } from './instrumented.ts'
import { ManualClock } from './memory/manual-clock.ts'
import { memoryEnvironment } from './memory/memory-environment.ts'
import { openEnvironmentAt } from './open-environment.ts'
import { delayingObjectStore } from './wrappers/delaying-object-store.ts'

async function traced(env: Environment, work: () => Promise<unknown>) {
  if (!env.tracer) throw new Error('the environment has no tracer')
  return (await env.tracer.trace(work)).trace
}

function distant() {
  const clock = new ManualClock()
  const env = memoryEnvironment({ clock })
  return { clock, env: { ...env, store: delayingObjectStore(env.store, { clock, delayMs: () => 5 }) } }
}

it('traces the requests of one piece of work, not those of others beside it', async () => {
  const { clock, env: plain } = distant()
  const env = instrumented(plain)
  const { store } = env
  await clock.runUntil(store.put('a', new Uint8Array(10)))
  const work = async () => {
    await Promise.all([store.get('a'), store.head('a'), store.get('b')])
    await store.list('')
  }
  const [trace] = await clock.runUntil(
    Promise.all([traced(env, work), store.get('a').then(() => store.get('a').then(() => store.get('a')))]),
  )
  expect(trace).toEqual({ requests: 4, bytes: 10, rounds: 2 })
})

it('does not trace what the disk answers', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-instrumented-'))
  try {
    const env = await withDiskCache(instrumented(memoryEnvironment()), { directory, limitBytes: 1e6 })
    await env.store.put('a', new Uint8Array(10))
    const read = () => env.store.get('a', { range: { offset: 0, length: 5 }, immutable: true })
    expect(await traced(env, read)).toMatchObject({ requests: 1, bytes: 10 })
    await expect.poll(() => traced(env, read)).toMatchObject({ requests: 0 })
    await env.store.close()
  } finally {
    await rm(directory, { recursive: true })
  }
})

it('counts a request once in the metrics, however often an environment is instrumented', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-instrumented-'))
  try {
    const counted: unknown[] = []
    const count = (name: string, amount?: number) => void counted.push([name, amount])
    const env = instrumented(await openEnvironmentAt(directory, { metrics: { ...noMetrics, count } }))
    expect(await traced(env, () => env.store.get('a'))).toEqual({ requests: 1, bytes: 0, rounds: 1 })
    await closeEnvironment(env)
    expect(counted).toEqual([['store_requests', 1]])
  } finally {
    await rm(directory, { recursive: true })
  }
})
