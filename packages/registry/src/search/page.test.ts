import fc from 'fast-check'
import { openStore } from 'siltstone'
import { seededRandom, systemIds } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { expect, it } from 'vitest'
import { ulidTimeMs } from '../store/keys.ts'
import { pageOf } from './page.ts'

const DAY_MS = 86_400_000
const gap = fc.oneof(
  fc.integer({ max: 5, min: 0 }),
  fc.integer({ max: 10 * DAY_MS, min: 0 }),
  fc.constant(900 * DAY_MS),
)

it('pages by windows of time, or of few records at once, are what sorting all ids gives, whatever the gaps and the order of insertion', async () => {
  const environment = memoryEnvironment()
  const store = await openStore({ environment })
  let made = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(gap, { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 1, max: 7 }),
      fc.nat(),
      fc.boolean(),
      async (gaps, limit, seed, isFew) => {
        const random = seededRandom(seed)
        let nowMs = Date.UTC(2026, 0, 1)
        const ids = gaps.map((ms) => systemIds({ ...environment.clock, nowMs: () => (nowMs += ms) }, random).ulid())
        const inserted = [...new Set(ids)].toSorted((a, b) => (a.slice(-6) < b.slice(-6) ? -1 : 1))
        const names = await store.createCollection({ name: `names-${made++}`, embeddingFunction: null })
        await names.upsert({
          ids: inserted,
          documents: inserted.map(() => 'x'),
          metadatas: inserted.map((id, i) => ({
            created_ms: ulidTimeMs(id),
            odd: i % 2 === 1,
            name: id,
            type: 'model',
          })),
          embeddings: inserted.map(() => [0]),
        })
        const where = seed % 2 === 0 ? undefined : { odd: true }
        const expected = inserted.filter((_, i) => where === undefined || i % 2 === 1).toSorted()
        const seen: string[] = []
        let after: string | undefined
        do {
          const page = await pageOf(names, where, { limit, after, isSelective: false, isFew, oneWindowRecords: 0 })
          expect(page.artifacts.length).toBeLessThanOrEqual(limit)
          seen.push(...page.artifacts.map(({ id }) => id))
          after = page.next ?? undefined
        } while (after !== undefined)
        expect(seen).toEqual(expected)
      },
    ),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 30) },
  )
  await store.close()
})
