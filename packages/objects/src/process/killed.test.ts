import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  closeEnvironment,
  DEFAULT_DATABASE,
  DEFAULT_TENANT,
  DirectoryBlobs,
  openEnvironment,
  StoreEngine,
  systemClock,
  systemRandom,
} from 'siltstone/internal'
import { expect, it } from 'vitest'

const CHILD = fileURLToPath(new URL('worker.child.ts', import.meta.url))

/** @returns the signal that ended it; null: it had settled everything */
function work(directory: string, request: number): Promise<NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, directory, String(request)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (text: Buffer) => (out += text.toString()))
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (signal === null && (code !== 0 || out !== 'settled'))
        reject(new Error(`the worker ended with ${code}: ${out}`))
      else resolve(signal)
    })
  })
}

async function documentsOf(directory: string): Promise<string[]> {
  const env = await openEnvironment(directory)
  const engine = await StoreEngine.open({ env })
  try {
    const info = await engine.catalog.getCollection(DEFAULT_TENANT, DEFAULT_DATABASE, 'media')
    const collection = await engine.collection(info.tenant, info.database, info.id)
    const { documents = [] } = await collection.get({ include: { documents: true } })
    return documents.map(String).sort()
  } finally {
    await engine.close()
    await closeEnvironment(env)
  }
}

it('workers that are killed at any request lose nothing and double nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'siltstone-killed-'))
  const blobs = await DirectoryBlobs.open(directory, { clock: systemClock, random: systemRandom })
  await blobs.createBucket('media')
  const bucket = blobs.bucket('media')
  const put = (key: string, lines: readonly string[]) => bucket.put(key, new TextEncoder().encode(lines.join('\n')))
  const lines = (name: string, count: number) => Array.from({ length: count }, (_, k) => `${name} ${k}`)

  for (const name of ['a', 'b', 'c']) await put(name, lines(`${name} old`, 4))
  // What is asked of the store for one object: its state, the claim, the collection, the log, and the state again.
  expect(await work(directory, 39)).toBe('SIGKILL')
  await put('a', [...lines('a new', 2), 'thumbnail'])
  await bucket.delete('b')
  await put('d', ['one', 'fail'])
  expect(await work(directory, 44)).toBe('SIGKILL')
  expect(await work(directory, 0)).toBeNull()
  expect(await documentsOf(directory)).toEqual([...lines('a new', 2), ...lines('c old', 4)])
  expect((await bucket.list({ prefix: 'derived/' })).blobs).toHaveLength(1)

  await bucket.delete('a')
  await bucket.delete('c')
  expect(await work(directory, 0)).toBeNull()
  expect(await documentsOf(directory)).toEqual([])
  expect((await bucket.list({ prefix: 'derived/' })).blobs).toEqual([])
  await blobs.close()
  rmSync(directory, { recursive: true, force: true })
}, 120_000)
