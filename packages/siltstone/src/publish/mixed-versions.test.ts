/** Visitors while a folder is published again: files arrive and vanish one by one. */
import { expect, it } from 'vitest'
import { FetchObjectStore } from '../drivers/fetch/fetch-object-store.ts'
import { fileHost } from '../drivers/fetch/testing/file-host.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { systemModels } from '../host/model-host.ts'
import { HybridSearch } from '../reader/hybrid-search.ts'
import { PublishedSource } from '../reader/published-source.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { publish } from './publish.ts'
import { MemoryTarget } from './testing.ts'

const ROWS = 300
const WORDS = ['silt', 'river', 'bread', 'eggs', 'invoice', 'stone', 'mud']
const vectorOf = (n: number) => Array.from({ length: 16 }, (_, d) => Math.sin((n + 1) * (d + 1)))
const recordOf = (n: number, edition: string) =>
  upsert(`r-${n}`, vectorOf(n), { document: `${WORDS[n % 7]} ${WORDS[(n * 3) % 7]} ${n} ${edition}` })

type Files = ReadonlyMap<string, Uint8Array>

/** A visitor who has just come, or was there before. */
async function visitorOf(files: () => Files): Promise<() => Promise<string[]>> {
  const { fetch } = fileHost(async (path) => {
    const body = files().get(path)
    return body ? { body } : null
  })
  const embed = async (texts: readonly string[]) => texts.map((text) => Float32Array.from(vectorOf(text.length)))
  const store = new FetchObjectStore('http://127.0.0.1', { fetch })
  const search = new HybridSearch(await PublishedSource.open(store, { cacheBytes: 1e6, embed }))
  return async () => (await search.search('river mud', 5)).map(({ id, document }) => `${id}: ${document}`)
}

/** The folder before, and with what the publication did, one after another. */
async function statesOf(edit: 'some' | 'all'): Promise<Files[]> {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { info } = await engine.catalog.createCollection(collectionRequest('things'))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const target = new MemoryTarget()
  const publishNow = () =>
    publish({ collection, staging: memoryEnvironment(), target, models: systemModels, keepMs: 0 })
  const numbers = Array.from({ length: ROWS }, (_, n) => n)
  await collection.write(numbers.map((n) => recordOf(n, 'first')))
  await publishNow()
  const states: Files[] = [new Map(target.files)]
  target.calls = []
  const [write, remove] = [target.write.bind(target), target.remove.bind(target)]
  target.write = async (name, bytes) => {
    await write(name, bytes)
    states.push(new Map(target.files))
  }
  target.remove = async (name) => {
    await remove(name)
    states.push(new Map(target.files))
  }
  await collection.write((edit === 'some' ? numbers.slice(8, 12) : numbers).map((n) => recordOf(n, 'second')))
  await publishNow()
  await engine.close()
  return states
}

it.each(['some', 'all'] as const)('visitors get one edition or the other, when %s records changed', async (edit) => {
  const states = await statesOf(edit)
  expect(states.length).toBeGreaterThan(2)
  const [before, after] = [states[0], states.at(-1)] as [Files, Files]
  const editions = await Promise.all([before, after].map(async (files) => (await visitorOf(() => files))()))
  expect(editions[0]).not.toEqual(editions[1])
  for (const files of states) {
    let now = before
    // One has read nothing but the old `search.json`, one has searched, one comes now.
    const early = await visitorOf(() => now)
    const searched = await visitorOf(() => now)
    await searched()
    now = files
    for (const ask of [early, searched, await visitorOf(() => now)]) expect(editions).toContainEqual(await ask())
    now = after
    expect(editions).toContainEqual(await early())
  }
})

it('a visitor of a folder whose new search.json came before its parts is answered once they are there', async () => {
  const states = await statesOf('all')
  const [before, after] = [states[0], states.at(-1)] as [Files, Files]
  const torn = new Map(before).set('search.json', after.get('search.json') as Uint8Array)
  for (const [name] of before) if (name.startsWith('data/')) torn.delete(name)
  let now: Files = torn
  const ask = await visitorOf(() => now)
  await expect(ask()).rejects.toMatchObject({ kind: 'corrupt', code: 'object-missing' })
  now = after
  expect(await ask()).toEqual(await (await visitorOf(() => after))())
})
