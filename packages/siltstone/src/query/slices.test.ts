/** Work between two pauses is counted, not timed. */
import { describe, expect, it } from 'vitest'
import type { RecordRef, View } from '../log/view.ts'
import type { Filter } from '../model/filter.ts'
import { Ranking } from './rank.ts'
import { select } from './select.ts'
import { columnsInSlices, findInSlices, inOrderInSlices, SLICE_RECORDS } from './slices.ts'

const COUNT = 50_000
const DIMENSION = 1_000
const ids = Array.from({ length: COUNT }, (_, i) => `id ${i}`)

/** Counts records, or values, per pause. */
function counter() {
  let now = 0
  let pauses = 0
  let most = 0
  return {
    spend: (work: number) => {
      now += work
      most = Math.max(most, now)
    },
    pause: async () => {
      now = 0
      pauses++
    },
    seen: () => ({ pauses, most }),
  }
}

/** Records whose numbers are their places; the order of insertion is a permutation of them. */
function viewOf(spend: (work: number) => void): View {
  const numberOf = (ref: RecordRef) => (ref.changed === null ? ref.row.row : -1)
  const ordinals = async (refs: readonly RecordRef[]) => {
    spend(refs.length)
    return refs.map((ref) => (numberOf(ref) * 7_919) % 104_729)
  }
  const view = {
    dimension: DIMENSION,
    find: async (some: readonly string[]): Promise<RecordRef[]> => {
      spend(some.length)
      return some.map((id) => ({ changed: null, row: { segment: 0, row: Number(id.slice(3)) } }))
    },
    ordinals,
    inOrder: () => Promise.reject(new Error('all at once')),
    columns: async (refs: readonly RecordRef[], { embeddings }: { embeddings?: boolean }) => {
      spend(embeddings ? refs.length * DIMENSION : refs.length)
      return { ids: refs.map((ref) => `id ${numberOf(ref)}`), ...(embeddings && { embeddings: refs.map(() => null) }) }
    },
  }
  return view as unknown as View
}

describe('in slices, with a pause after each', () => {
  it('ids are looked up, each once', async () => {
    const { spend, pause, seen } = counter()
    const found = await findInSlices(viewOf(spend), [...ids, ...ids], pause)
    expect(found.map((ref) => ref.changed === null && ref.row.row)).toEqual(ids.map((_, i) => i))
    expect(seen().most).toBeLessThanOrEqual(SLICE_RECORDS)
    expect(seen().pauses).toBeGreaterThanOrEqual((2 * COUNT) / SLICE_RECORDS)
  })

  it('records are sorted', async () => {
    const { spend, pause, seen } = counter()
    const view = viewOf(spend)
    const refs = await findInSlices(view, ids, async () => {})
    const sorted = await inOrderInSlices(view, refs, pause)
    const order = await view.ordinals(sorted)
    expect(order).toEqual((await view.ordinals(refs)).toSorted((a, b) => a - b))
    expect(new Set(sorted).size).toBe(COUNT)
    expect(seen().pauses).toBeGreaterThan(COUNT / SLICE_RECORDS)
  })

  it('columns are read: fewer records where vectors are among them', async () => {
    for (const embeddings of [false, true]) {
      const { spend, pause, seen } = counter()
      const view = viewOf(spend)
      const refs = await findInSlices(view, ids, pause)
      const columns = await columnsInSlices(view, refs, { embeddings }, pause)
      expect(columns.ids).toEqual(ids)
      expect(columns.embeddings?.length).toBe(embeddings ? COUNT : undefined)
      expect(seen().most).toBeLessThanOrEqual(1_000_000)
    }
  })

  it('the metadata of records that the log changed are read and parsed', async () => {
    const { spend, pause, seen } = counter()
    const records = ids.map((id) => ({ id, live: true }))
    const view = {
      base: { segments: [] },
      overlay: { changedRows: () => new Map(), records: () => records },
      metadatas: async (refs: readonly RecordRef[]) => {
        spend(refs.length)
        return refs.map((_, i) => `{"n":${i % 10}}`)
      },
    }
    const filter: Filter = { kind: 'compare', key: 'n', op: 'eq', value: 1n }
    const { changed } = await select(view as unknown as View, filter, pause)
    expect(changed.length).toBe(ids.filter((_, i) => (i % SLICE_RECORDS) % 10 === 1).length)
    expect(seen().most).toBeLessThanOrEqual(SLICE_RECORDS)
  })

  it('vectors are offered to many queries', async () => {
    const { spend, pause, seen } = counter()
    const vectors = Array.from({ length: 300 }, (_, i) => Float32Array.of(i, 1))
    const ranking = Ranking.of('l2', vectors, 2, pause)
    const flat = new Float32Array(20_000).map((_, i) => Math.floor(i / 2))
    await ranking.eachQuery(flat.length, (one) => {
      spend(flat.length * one.queries.length)
      one.offerFlat(flat, flat.length / 2, (i) => i)
    })
    expect(ranking.queries.every(({ nearest }) => nearest.sorted().length === 2)).toBe(true)
    expect(seen().most).toBeLessThanOrEqual(8_000_000)
    expect(seen().pauses).toBeGreaterThanOrEqual(1)
  })
})
