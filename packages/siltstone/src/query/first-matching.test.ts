/** A `get` with a limit answers the beginning of what one without a limit answers, and reads less. */
import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { countingObjectStore } from '../drivers/wrappers/counting-object-store.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import type { Filter } from '../model/filter.ts'
import { collectionRequest, remove, update, upsert } from '../testing/operations.ts'

const ROWS = 9_000
const COLOURS = ['red', 'green', 'blue']
/** Text that is hardly compressed. */
const noise = (i: number) =>
  [1, 2, 3, 4, 5, 6]
    .map((k) =>
      Math.sin(i * 7 + k)
        .toString(36)
        .slice(2),
    )
    .join(' ')

/** The records of the even numbers are written first, and then those of the odd ones; clustered, in two segments. */
async function filled() {
  const env = memoryEnvironment()
  const counting = countingObjectStore(env.store)
  const engine = await StoreEngine.open({ env: { ...env, store: counting } })
  const request = collectionRequest('things')
  const { info } = await engine.catalog.createCollection(request)
  const collection = await engine.collection(request.tenant, request.database, info.id)
  const numbers = Array.from({ length: ROWS }, (_, i) => i)
  const write = (chosen: number[]) =>
    collection.write(
      chosen.map((i) =>
        upsert(`id-${i}`, [Math.sin(i), Math.cos(i)], {
          document: `Stone ${i} of the ${COLOURS[i % 3]} kind. ${noise(i)}`,
          metadata: { n: i, colour: COLOURS[i % 3] as string, rare: i % 1_000 === 7 },
        }),
      ),
    )
  await write(numbers.filter((i) => i % 2 === 0))
  await engine.compactor.compact(pathOf(info))
  await write(numbers.filter((i) => i % 2 === 1))
  await engine.compactor.compact(pathOf(info))
  // In overlays: a record that leaves the answers, and one that enters them. In the log: the same, one deleted, one inserted again, one new.
  await collection.write([
    update('id-6', { metadata: { colour: 'black' } }),
    update('id-2', { metadata: { colour: 'red' } }),
  ])
  await engine.compactor.compact(pathOf(info))
  await collection.write([
    update('id-12', { metadata: { colour: 'black' } }),
    update('id-4', { metadata: { colour: 'red' } }),
    remove('id-18'),
    remove('id-24'),
    upsert('id-24', [0, 1], { document: 'Stone 24 again.', metadata: { n: 24, colour: 'red' } }),
    upsert('new', [1, 0], { document: 'A new stone.', metadata: { n: -1, colour: 'red' } }),
  ])
  const reopened = async () => {
    const again = await StoreEngine.open({ env: { ...env, store: counting } })
    return { again, read: await again.collection(request.tenant, request.database, info.id) }
  }
  return { collection, counting, engine, reopened }
}

const FILTERS: Record<string, Filter> = {
  'what an index knows': { kind: 'compare', key: 'colour', op: 'eq', value: 'red' },
  'a range': { kind: 'compare', key: 'n', op: 'gte', value: 5n },
  'documents, of which a third match': { kind: 'document-regex', negated: false, pattern: '\\d of the r.d' },
  'the order of ids, which no index knows': { kind: 'id-order', op: 'gt', value: 'id-5' },
  both: {
    kind: 'and',
    clauses: [
      { kind: 'compare', key: 'colour', op: 'ne', value: 'blue' },
      { kind: 'document-regex', negated: true, pattern: '7+ of' },
    ],
  },
  'what few rows have, and no index knows': { kind: 'document-regex', negated: false, pattern: '[01]0{2,}7|A new' },
  nothing: { kind: 'document-regex', negated: false, pattern: '^[^ ]+ie' },
}

const PAGES: [offset: number, limit: number][] = [
  [0, 1],
  [0, 100],
  [37, 50],
  [2_900, 300],
  [8_950, 100],
]

it('with a limit, the beginning of all', { timeout: 120_000 }, async () => {
  const { collection, engine } = await filled()
  for (const [what, filter] of Object.entries(FILTERS)) {
    const include = { metadatas: true }
    // First those with a limit: the answer to the other is remembered.
    const some = []
    for (const [offset, limit] of PAGES) some.push(await collection.get({ filter, include, offset, limit }))
    const all = await collection.get({ filter, include })
    for (const [k, [offset, limit]] of PAGES.entries()) {
      expect(some[k]?.ids, `${what}, ${offset} ${limit}`).toEqual(all.ids.slice(offset, offset + limit))
      expect(some[k]?.metadatas).toEqual(all.metadatas?.slice(offset, offset + limit))
      expect(some[k]?.pageToken !== undefined, `${what}, ${offset} ${limit}`).toBe(offset + limit < all.ids.length)
    }
  }
  await engine.close()
})

it('reads the documents of few records', { timeout: 120_000 }, async () => {
  const { counting, engine, reopened } = await filled()
  const filter: Filter = { kind: 'document-regex', negated: false, pattern: 'of the .* kind' }
  const bytesOf = async (limit?: number) => {
    const { again, read } = await reopened()
    await read.get({ limit: 1, include: {} })
    counting.takeCounts()
    await read.get({ filter, include: {}, ...(limit !== undefined && { limit }) })
    await again.close()
    return counting.takeCounts().bytesOut
  }
  const few = await bytesOf(10)
  expect(few).toBeLessThan((await bytesOf()) / 2)
  await engine.close()
})
