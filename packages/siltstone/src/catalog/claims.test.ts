import { describe, expect, it } from 'vitest'
import { seededIds } from '../host/system-ids.ts'
import { acquire, vacate } from './claims.ts'
import { DocumentStore } from './document-store.ts'
import { nameClaimType } from './document-types.ts'
import { nameClaim } from './name-claim.ts'
import { CatalogWorld } from '../testing/catalog-world.ts'

const claim = nameClaim({ tenant: 't', database: 'd' }, 'name')

async function setUp() {
  const world = new CatalogWorld()
  const { clock, store } = world
  const documents = new DocumentStore({ store, clock, ids: seededIds(1, clock), cacheEntries: 10 })
  const owner = async () => (await documents.read(claim.key, nameClaimType))?.document.collectionId
  return { world, documents, owner }
}
const free = async () => 'free' as const
const taken = async () => 'taken' as const
const nobody = async () => {
  throw new Error('nobody is to be examined')
}

describe('a claim', () => {
  it('belongs to the first owner, until that does not want it', async () => {
    const { documents, owner } = await setUp()
    expect(await acquire(documents, claim, 'a', nobody)).toBe('acquired')
    expect(await acquire(documents, claim, 'b', taken)).toBe('taken')
    expect(await owner()).toBe('a')
    expect(await acquire(documents, claim, 'b', free)).toBe('acquired')
    expect(await owner()).toBe('b')
  })

  it('is written when its owner acquires it again, so an earlier read loses (rule 2)', async () => {
    const { documents, owner } = await setUp()
    await acquire(documents, claim, 'a', nobody)
    let isFirst = true
    const whileLookedAt = async () => {
      // `a` did not want it when it was looked at; now it does.
      if (isFirst) await acquire(documents, claim, 'a', nobody)
      const verdict = isFirst ? ('free' as const) : ('taken' as const)
      isFirst = false
      return verdict
    }
    expect(await acquire(documents, claim, 'b', whileLookedAt)).toBe('taken')
    expect(await owner()).toBe('a')
  })

  it('is made vacant only if its owner does not want it after the claim was read (rule 3)', async () => {
    const { documents, owner } = await setUp()
    await acquire(documents, claim, 'a', nobody)
    await vacate(documents, claim, 'b', async () => false)
    expect(await owner()).toBe('a')
    await vacate(documents, claim, 'a', async () => true)
    expect(await owner()).toBe('a')
    await vacate(documents, claim, 'a', async () => {
      await acquire(documents, claim, 'a', nobody)
      return false
    })
    expect(await owner()).toBe('a')
    await vacate(documents, claim, 'a', async () => false)
    expect(await owner()).toBeNull()
    expect(await acquire(documents, claim, 'b', nobody)).toBe('acquired')
  })

  it('keeps its object when it is vacant (rule 4)', async () => {
    const { world, documents } = await setUp()
    await acquire(documents, claim, 'a', nobody)
    await vacate(documents, claim, 'a', async () => false)
    expect(await world.keys()).toEqual([claim.key])
  })
})
