import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { metadataFromJson } from '../records/index.ts'
import { collectionRequest } from '../testing/operations.ts'
import { upsert } from '../testing/world.ts'
import { StoreEngine } from './engine.ts'
import { mapOf } from './map.ts'
import { projectionOf } from './projection.ts'

const pause = async () => {}
const projected = (rows: readonly (readonly number[])[]) =>
  projectionOf(
    rows.map((row) => Float32Array.from(row)),
    pause,
  )

describe('a projection', () => {
  it('shows points of a plane, turned into many dimensions, at their true distances', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -3, max: 3 })), {
          minLength: 3,
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 1_000 }),
        async (points, seed) => {
          const [a, b] = orthogonal(seed)
          const { x, y, explained } = await projected(
            points.map(([u, v]) => a.map((value, d) => u * value + v * (b[d] as number) + 5)),
          )
          for (let i = 1; i < points.length; i++) {
            const [[u, v], [w, z]] = [points[0], points[i]] as [[number, number], [number, number]]
            const shown = Math.hypot((x[0] as number) - (x[i] as number), (y[0] as number) - (y[i] as number))
            expect(shown).toBeCloseTo(Math.hypot(u - w, v - z), 2)
          }
          const varies = points.some(([u, v]) => u !== points[0]?.[0] || v !== points[0]?.[1])
          expect(explained[0] + explained[1]).toBeCloseTo(varies ? 1 : 0, 3)
        },
      ),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) },
    )
  })

  it('puts the larger variance first, and is the same each time', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => [Math.sin(i), 10 * Math.cos(i * 1.7), Math.sin(i * 3) / 10])
    const { x, y, explained } = await projected(rows)
    expect(explained[0]).toBeGreaterThan(explained[1])
    expect(await projected(rows)).toEqual({ x, y, explained })
    expect(Math.max(...x.map((value, i) => Math.abs(Math.abs(value) - Math.abs(10 * Math.cos(i * 1.7)))))).toBeLessThan(
      1,
    )
  })

  it('takes no points, one point, one dimension, equal points', async () => {
    expect((await projected([])).x).toHaveLength(0)
    for (const rows of [
      [[1, 2]],
      [[1], [2], [4]],
      [
        [3, 3],
        [3, 3],
      ],
    ]) {
      const { x, y, explained } = await projected(rows)
      for (const value of [...x, ...y, ...explained]) expect(Number.isFinite(value)).toBe(true)
    }
  })
})

/** Two orthogonal unit vectors of eight dimensions. */
function orthogonal(seed: number): [number[], number[]] {
  const raw = [1, 2].map((k) => Array.from({ length: 8 }, (_, d) => Math.sin(seed * k + d * d + k)))
  const [a, b] = raw as [number[], number[]]
  const unit = (vector: number[]) => vector.map((value) => value / Math.hypot(...vector))
  const first = unit(a)
  const along = b.reduce((sum, value, d) => sum + value * (first[d] as number), 0)
  return [first, unit(b.map((value, d) => value - along * (first[d] as number)))]
}

describe('the map of a collection', () => {
  async function collectionOf(count: number) {
    const engine = await StoreEngine.open({ env: memoryEnvironment() })
    const { info } = await engine.catalog.createCollection(collectionRequest('things'))
    const collection = await engine.collection(info.tenant, info.database, info.id)
    const records = Array.from({ length: count }, (_, i) => upsert(`r${i}`, [i, i % 3]))
    for (const [i, record] of records.entries())
      record.metadata = metadataFromJson(
        i % 2 === 0 ? { kind: 'even', list: ['a', 'b'] } : { n: 7 },
        'm',
        'add',
        'plain',
      )
    if (count > 0) await collection.write(records)
    return collection
  }

  it('has each record once, with the value of the key', async () => {
    const collection = await collectionOf(20)
    const map = await mapOf(collection, { key: 'kind' }, pause)
    expect(map).toMatchObject({ version: 1, records: 20 })
    expect(map.ids).toEqual(Array.from({ length: 20 }, (_, i) => `r${i}`))
    expect([map.x.length, map.y.length]).toEqual([20, 20])
    expect(map.values).toEqual(map.ids.map((_, i) => (i % 2 === 0 ? 'even' : null)))
    expect((await mapOf(collection, { key: 'list' }, pause)).values?.slice(0, 2)).toEqual(['a', null])
    expect((await mapOf(collection, { key: 'n' }, pause)).values?.[1]).toBe(7)
    expect((await mapOf(collection, {}, pause)).values).toBeNull()
  })

  it('samples the whole order of insertion, and never more than was asked for', async () => {
    const collection = await collectionOf(1_000)
    const { ids, records } = await mapOf(collection, { records: 100 }, pause)
    const places = ids.map((id) => Number(id.slice(1)))
    expect(records).toBe(1_000)
    expect([places.length, new Set(places).size]).toEqual([100, 100])
    expect(Math.max(...places)).toBeGreaterThan(950)
    for (const asked of [1, 7, 51, 99])
      expect((await mapOf(collection, { records: asked }, pause)).ids).toHaveLength(asked)
  })

  it('of an empty collection is empty', async () => {
    expect(await mapOf(await collectionOf(0), {}, pause)).toMatchObject({ ids: [], x: [], records: 0 })
  })
})
