import { describe, expect, it } from 'vitest'
import { MemoryObjectStore } from '../drivers/memory/memory-object-store.ts'
import { seededIds } from '../host/system-ids.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { outcomeUnknown, unavailable } from '../errors.ts'
import { collectionNameKey } from '../format/keys.ts'
import { DocumentStore } from './document-store.ts'
import { type NameClaim, nameClaimType } from './document-types.ts'
import { type Fault, type FaultyObjectStore, faultyObjectStore } from '../testing/faulty-object-store.ts'

const key = 'catalog/x'
const claim = (name: string): NameClaim => ({
  format: 'siltstone.name',
  version: 1,
  tenant: 't',
  database: 'd',
  name,
  collectionId: null,
  writes: [],
})

function setUp(fault?: (request: number, isWrite: boolean) => Fault | undefined, cacheEntries = 10) {
  const clock = ManualClock.skippingSleeps()
  const memory = new MemoryObjectStore({ clock })
  const make = (store: MemoryObjectStore | FaultyObjectStore, seed: number) =>
    new DocumentStore({ store, clock, ids: seededIds(seed, clock), cacheEntries })
  const faulty = faultyObjectStore(memory, fault === undefined ? {} : { fault })
  return { clock, memory, faulty, mine: make(faulty, 1), others: make(memory, 2) }
}
const onFirstWrite = (fault: Fault) => {
  let writes = 0
  return (_request: number, isWrite: boolean) => (isWrite && ++writes === 1 ? fault : undefined)
}

describe('a write', () => {
  it.each<Fault>(['before', 'after', 'refused-after'])('succeeds through a fault %s', async (fault) => {
    const { mine, others } = setUp(onFirstWrite(fault))
    const written = await mine.write(key, nameClaimType, claim('a'), null)
    expect(written.status).toBe('ok')
    const seen = await others.read(key, nameClaimType)
    expect(seen?.document.name).toBe('a')
    const over = await mine.write(key, nameClaimType, { ...claim('b') }, seen ?? null)
    expect(over.status).toBe('ok')
  })

  it('that succeeded is recognised, even after later writes', async () => {
    const { mine, others, memory } = setUp()
    const own = collectionNameKey(claim('a'))
    const put = memory.put.bind(memory)
    let first = true
    memory.put = async (...call) => {
      const result = await put(...call)
      if (!first) return result
      first = false
      await others.change(own, nameClaimType, (current) => current && { ...current, collectionId: 'theirs' })
      return put(...call)
    }
    const written = await mine.write(own, nameClaimType, claim('a'), null)
    expect(written).toMatchObject({ status: 'ok', version: { document: { name: 'a', collectionId: 'theirs' } } })
  })

  it('that lost returns the current version', async () => {
    const { mine, others } = setUp()
    await others.write(key, nameClaimType, claim('theirs'), null)
    expect(await mine.write(key, nameClaimType, claim('ours'), null)).toMatchObject({
      status: 'lost',
      current: { document: { name: 'theirs' } },
    })
  })

  it('never takes effect twice: the same body under the same condition', async () => {
    const { mine, others } = setUp((_request, isWrite) => (isWrite ? 'after' : undefined))
    await mine.write(key, nameClaimType, claim('a'), null)
    const seen = await others.read(key, nameClaimType)
    expect(seen?.document.writes).toHaveLength(1)
  })

  it('is unknown without a known outcome, and unavailable when it was refused', async () => {
    const lost = setUp(() => 'after')
    await expect(lost.mine.write(key, nameClaimType, claim('a'), null)).rejects.toMatchObject({
      kind: 'unknown',
      code: 'catalog-outcome-unknown',
      key,
    })
    const refused = setUp(() => 'before')
    await expect(refused.mine.write(key, nameClaimType, claim('a'), null)).rejects.toMatchObject({
      kind: 'unavailable',
    })
  })

  it('is unknown when a clear refusal follows an attempt without an answer', async () => {
    for (const refuses of ['put', 'get'] as const) {
      const { clock, memory, mine } = setUp()
      const { put, get } = { put: memory.put.bind(memory), get: memory.get.bind(memory) }
      const denied = () => Promise.reject(unavailable('access-denied', 'no right'))
      let puts = 0
      memory.put = async (...call) => {
        if (++puts === 1) throw outcomeUnknown('timeout', 'it is still on its way')
        return refuses === 'put' ? denied() : put(...call)
      }
      memory.get = (...call) => (refuses === 'get' ? denied() : get(...call))
      const store = new DocumentStore({ store: memory, clock, ids: seededIds(3, clock), cacheEntries: 1 })
      const written = store.write(key, nameClaimType, claim('a'), null)
      if (refuses === 'put') await expect(written).rejects.toMatchObject({ kind: 'unknown', key })
      else await expect(written).resolves.toMatchObject({ status: 'ok' })
      // Nothing was open here.
      puts = 1
      if (refuses === 'put')
        await expect(mine.write(key, nameClaimType, claim('a'), null)).rejects.toMatchObject({ code: 'access-denied' })
    }
  })
})

describe('a change', () => {
  it('is decided on the version that it replaces', async () => {
    const { mine, others } = setUp()
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? mine : others).change(key, nameClaimType, (current) => ({
          ...claim(`${current?.name ?? ''}x`),
          writes: current?.writes ?? [],
        })),
      ),
    )
    const seen = await mine.read(key, nameClaimType)
    expect(seen?.document.name).toBe('x'.repeat(20))
    expect(seen?.document.writes).toHaveLength(8)
  })
})

describe('the cache', () => {
  it('is revalidated by a conditional GET that moves no body', async () => {
    const { mine, others, memory } = setUp()
    await mine.write(key, nameClaimType, claim('a'), null)
    const answers: string[] = []
    const get = memory.get.bind(memory)
    memory.get = async (...call) => {
      const result = await get(...call)
      answers.push(result.status)
      return result
    }
    const first = await mine.read(key, nameClaimType)
    await others.change(key, nameClaimType, (current) => current && { ...current, name: 'b' }, first)
    expect((await mine.read(key, nameClaimType))?.document.name).toBe('b')
    await memory.delete([key])
    expect(await mine.read(key, nameClaimType)).toBeUndefined()
    expect(answers).toEqual(['not-modified', 'ok', 'not-found'])
  })

  it('may be used without a request within the allowed age', async () => {
    const { mine, others, clock, faulty } = setUp()
    await mine.write(key, nameClaimType, claim('a'), null)
    await others.change(key, nameClaimType, (current) => current && { ...current, name: 'b' })
    await clock.advance(1000)
    const { requests } = faulty
    expect((await mine.recent(key, nameClaimType, 1000))?.document.name).toBe('a')
    expect(faulty.requests).toBe(requests)
    await clock.advance(1)
    expect((await mine.recent(key, nameClaimType, 1000))?.document.name).toBe('b')
  })

  it('is bounded: the least recently used entry is removed', async () => {
    const { mine } = setUp(undefined, 2)
    for (const name of ['a', 'b', 'c']) await mine.write(`catalog/${name}`, nameClaimType, claim(name), null)
    expect(mine.lastSeen('catalog/a', nameClaimType)).toBeUndefined()
    expect(mine.lastSeen('catalog/c', nameClaimType)?.document.name).toBe('c')
  })
})
