/** The contract of collections over time: deletions, versions, conditions, forks, rollbacks, and their end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Collection, Engine } from '../model/store.ts'
import { parseWhere } from '../filter/parse.ts'
import { add, collectionRequest, remove, update, upsert } from './operations.ts'

const TENANT = 'default_tenant'
const DATABASE = 'default_database'

export function describeHistory(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`${name}: a collection over time`, () => {
    let engine: Engine
    let collection: Collection

    beforeEach(async () => {
      engine = await makeEngine()
      const { info } = await engine.catalog.createCollection(collectionRequest('things'))
      collection = await engine.collection(TENANT, DATABASE, info.id)
    })
    afterEach(() => engine.close())

    const ids = async (of = collection) => (await of.get({ include: {} })).ids

    describe('delete', () => {
      beforeEach(async () => {
        const numbered = Array.from({ length: 6 }, (_, i) =>
          add(`r${i}`, [i, 0], { metadata: { i, odd: i % 2 === 1 } }),
        )
        await collection.write(numbered)
      })

      it('by ids counts the records that were there', async () => {
        expect((await collection.delete({ ids: ['r1', 'nobody', 'r4', 'r1'] })).deleted).toBe(2)
        expect(await ids()).toEqual(['r0', 'r2', 'r3', 'r5'])
        expect((await collection.delete({ ids: ['r1'] })).deleted).toBe(0)
        expect((await collection.delete({ ids: [] })).deleted).toBe(0)
        expect(await collection.count()).toBe(4)
      })

      it('by filter, and by both, which must both hold', async () => {
        const filter = parseWhere({ odd: true })
        expect((await collection.delete({ filter, ids: ['r1', 'r2'] })).deleted).toBe(1)
        expect((await collection.delete({ filter })).deleted).toBe(2)
        expect(await ids()).toEqual(['r0', 'r2', 'r4'])
      })

      it('with a limit takes the first in order of insertion', async () => {
        await collection.write([remove('r0'), add('r0', [0, 0], { metadata: { i: 0 } })])
        const filter = parseWhere({ i: { $lt: 4 } })
        expect((await collection.delete({ filter, limit: 2 })).deleted).toBe(2)
        expect(await ids()).toEqual(['r3', 'r4', 'r5', 'r0'])
        expect((await collection.delete({ filter, limit: 0 })).deleted).toBe(0)
        expect((await collection.delete({ filter, limit: 9 })).deleted).toBe(2)
      })

      it('counts exactly when many delete the same at once', async () => {
        const filter = parseWhere({ i: { $gte: 0 } })
        const results = await Promise.all([1, 2, 3].map((limit) => collection.delete({ filter, limit })))
        expect(results.map(({ deleted }) => deleted)).toEqual([1, 2, 3])
        expect(await collection.count()).toBe(0)
      })
    })

    describe('versions', () => {
      it('grow with each write and are what reads answer with', async () => {
        const first = await collection.write([add('a', [1, 0])])
        const second = await collection.write([add('b', [2, 0])])
        expect(first.version).toBeGreaterThan(0)
        expect(second.version).toBeGreaterThan(first.version)
        const third = await collection.delete({ ids: ['a'] })
        expect(third.version).toBeGreaterThan(second.version)
        expect((await collection.get({ include: {}, atLeast: third.version })).version).toBe(third.version)
      })

      it('can be read again', async () => {
        const one = await collection.write([add('a', [1, 0], { document: 'old' }), add('b', [2, 0])])
        await collection.write([update('a', { document: 'new' }), remove('b'), add('c', [3, 0])])
        const then = await collection.get({ include: { documents: true }, at: one.version })
        expect([then.ids, then.documents, then.version]).toEqual([['a', 'b'], ['old', null], one.version])
        expect(await collection.count({ at: one.version })).toBe(2)
        const { hits } = await collection.query({
          vectors: [Float32Array.of(9, 0)],
          k: 1,
          include: {},
          at: one.version,
        })
        expect(hits[0]?.ids).toEqual(['b'])
        expect(await ids()).toEqual(['a', 'c'])
        await expect(collection.get({ include: {}, at: 999 })).rejects.toMatchObject({ kind: 'not-found' })
      })

      it('are seen by the other handles of the collection', async () => {
        const other = await engine.collection(TENANT, DATABASE, collection.info.id)
        await collection.write([add('a', [1, 0])])
        expect(await ids(other)).toEqual(['a'])
        expect(await other.dimension()).toBe(2)
      })

      it('keep every one of many writes at once', async () => {
        const names = Array.from({ length: 40 }, (_, i) => `r${i}`)
        await Promise.all(names.map((id, i) => collection.write([add(id, [i, 0])])))
        expect((await ids()).toSorted()).toEqual(names.toSorted())
        expect(await collection.count()).toBe(40)
      })
    })

    describe('conditional commits', () => {
      it('hold while what was read is unchanged', async () => {
        await collection.write([add('a', [1, 0]), add('b', [2, 0])])
        const readToken = await collection.readToken()
        await collection.write([update('b', { document: 'changed' })])
        const operations = [update('a', { document: 'mine' }), add('c', [3, 0])]
        expect(await collection.commitIf({ readToken, readIds: ['a'], operations })).toMatchObject({ recordCount: 2 })
        expect(await ids()).toEqual(['a', 'b', 'c'])
        const late = collection.commitIf({ readToken, readIds: ['a'], operations: [remove('c')] })
        await expect(late).rejects.toMatchObject({ kind: 'conflict', code: 'conditional-write-conflict' })
        expect(await ids()).toEqual(['a', 'b', 'c'])
      })

      it('notice an id that appeared or went', async () => {
        await collection.write([add('a', [1, 0])])
        const readToken = await collection.readToken()
        await collection.write([add('new', [2, 0]), remove('a')])
        for (const id of ['new', 'a']) {
          const commit = collection.commitIf({ readToken, readIds: [id], operations: [add('x', [3, 0])] })
          await expect(commit).rejects.toMatchObject({ code: 'conditional-write-conflict' })
        }
        expect(await ids()).toEqual(['new'])
      })

      it('let one of several through', async () => {
        await collection.write([add('counter', [0, 0])])
        const readToken = await collection.readToken()
        const commits = ['x', 'y', 'z'].map((document) =>
          collection.commitIf({ readToken, readIds: ['counter'], operations: [update('counter', { document })] }),
        )
        const settled = await Promise.allSettled(commits)
        expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      })
    })

    describe('forks', () => {
      it('begin with the records of their source and go their own way', async () => {
        await collection.write([add('a', [1, 0], { document: 'A' }), add('b', [2, 0])])
        const info = await collection.fork('branch')
        expect(info).toMatchObject({ name: 'branch', space: 'l2', dimension: 2 })
        expect(info.id).not.toBe(collection.info.id)
        const fork = await engine.collection(TENANT, DATABASE, info.id)
        await fork.write([remove('a'), add('c', [3, 0])])
        await collection.write([upsert('b', [5, 0], { document: 'B' })])
        expect([await ids(fork), await ids()]).toEqual([
          ['b', 'c'],
          ['a', 'b'],
        ])
        expect((await fork.get({ ids: ['b'], include: { documents: true } })).documents).toEqual([null])
        expect(await collection.forkCount()).toBe(1)
        await expect(collection.fork('branch')).rejects.toMatchObject({ kind: 'conflict', code: 'collection-exists' })
        expect(await collection.forkCount()).toBe(1)
      })

      it('work from an empty collection', async () => {
        const info = await collection.fork('branch')
        expect(await ids(await engine.collection(TENANT, DATABASE, info.id))).toEqual([])
      })
    })

    it('counts the operations that it has seen', async () => {
      await collection.write([add('a', [1, 0]), add('b', [1, 0])])
      await collection.write([remove('a')])
      const status = await collection.indexingStatus()
      expect(status.totalOps).toBe(3)
      expect(status.indexedOps + status.unindexedOps).toBe(3)
    })

    describe('its end', () => {
      it('is NotFound for every handle, and its name is free again', async () => {
        await collection.write([add('a', [1, 0])])
        await engine.catalog.deleteCollection(TENANT, DATABASE, 'things')
        const gone = { kind: 'not-found', code: 'collection-missing' }
        await expect(engine.collection(TENANT, DATABASE, collection.info.id)).rejects.toMatchObject(gone)
        await expect(collection.write([add('b', [1, 0])])).rejects.toMatchObject({ kind: 'not-found' })
        await expect(collection.count()).rejects.toMatchObject({ kind: 'not-found' })
        const { info, created } = await engine.catalog.createCollection(
          collectionRequest('things', { getOrCreate: true }),
        )
        expect(created).toBe(true)
        expect(await ids(await engine.collection(TENANT, DATABASE, info.id))).toEqual([])
      })

      it('is not yet when it is renamed', async () => {
        await collection.write([add('a', [1, 0])])
        await engine.catalog.changeCollection(TENANT, DATABASE, collection.info.id, { newName: 'renamed' })
        expect(await ids()).toEqual(['a'])
        const renamed = await engine.catalog.getCollection(TENANT, DATABASE, 'renamed')
        expect(renamed).toMatchObject({ id: collection.info.id, dimension: 2 })
        await expect(engine.catalog.getCollection(TENANT, DATABASE, 'things')).rejects.toMatchObject({
          message: 'Collection [things] does not exist',
        })
      })
    })
  })
}
