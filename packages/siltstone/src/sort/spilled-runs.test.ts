import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { memoryScratch, type Scratch } from '../ports/scratch.ts'
import { type RunItems, SpilledRuns } from './spilled-runs.ts'

interface Item {
  key: number
  text: string
}

const items: RunItems<Item> = {
  encode: ({ key, text }) => Buffer.from(`${key}:${text}`),
  decode: (bytes) => {
    const [key, text] = Buffer.from(bytes).toString().split(':') as [string, string]
    return { key: Number(key), text }
  },
  compare: (a, b) => a.key - b.key,
}

async function merged(runs: SpilledRuns<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const batch of runs.merged()) {
    expect(batch.length).toBeGreaterThan(0)
    found.push(...batch)
  }
  return found
}

it('merges runs in order, equal items in the order of their runs', async () => {
  const item = fc.record({ key: fc.nat(20), text: fc.stringMatching(/^[a-z]{0,9}$/) })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(item, { maxLength: 20 }), { maxLength: 6 }), async (made) => {
      const runs = new SpilledRuns(memoryScratch, items)
      const sorted = made.map((run) => run.toSorted(items.compare))
      for (const run of sorted) await runs.add(run)
      expect(runs.count).toBe(made.length)
      // Sorting is stable.
      expect(await merged(runs)).toEqual(sorted.flat().toSorted(items.compare))
      await runs.close()
      expect(runs.count).toBe(0)
    }),
  )
})

it('reads items that are larger than a chunk, and more of them than a batch', async () => {
  const runs = new SpilledRuns(memoryScratch, items)
  const long = Array.from({ length: 3 }, (_, i) => ({ key: 2 * i, text: 'x'.repeat(1_500_000 + i) }))
  const short = Array.from({ length: 5_000 }, (_, i) => ({ key: i, text: 'y' }))
  await runs.add(long)
  await runs.add(short)
  const found = await merged(runs)
  expect(found.filter(({ text }) => text.length > 1)).toEqual(long)
  expect(found.filter(({ text }) => text.length === 1)).toEqual(short)
  await runs.close()
})

it('refuses a run that ends within an item', async () => {
  const scratch: Scratch = {
    create: async () => {
      const file = await memoryScratch.create()
      const append = (bytes: Uint8Array) => file.append(bytes.subarray(0, -1))
      return {
        get sizeBytes() {
          return file.sizeBytes
        },
        append,
        read: (offset, into) => file.read(offset, into),
        discard: () => file.discard(),
      }
    },
  }
  const runs = new SpilledRuns(scratch, items)
  await runs.add([{ key: 1, text: 'whole' }])
  await expect(merged(runs)).rejects.toMatchObject({ kind: 'corrupt', code: 'scratch-truncated' })
})
