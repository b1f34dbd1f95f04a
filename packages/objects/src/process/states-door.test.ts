import fc from 'fast-check'
import type { ObjectProgress, ObjectStatus } from 'siltstone/internal'
import { describe, expect, it } from 'vitest'
import { ProcessingRules } from './rules.ts'
import { stateKey } from './state.ts'
import { StateStore } from './state-store.ts'
import { StatesDoor } from './states-door.ts'
import { storeRules } from './stored-rules.ts'
import { BUCKET, ProcessWorld } from './testing/process-world.ts'

async function world(looksAtMost?: number) {
  const made = await ProcessWorld.make()
  made.rules = new ProcessingRules([{ prefix: 'private/', process: false }])
  await storeRules(made.store, made.rules)
  const told: string[] = []
  const door = new StatesDoor({
    buckets: made.blobs,
    states: new StateStore(made.store, made.ids),
    store: made.store,
    notify: async ({ bucket, key }) => void told.push(`${bucket}/${key}`),
    clock: made.clock,
    processing: 'on',
    ...(looksAtMost !== undefined && { looksAtMost }),
  })
  return { made, door, told }
}

async function allPages(door: StatesDoor, query: Omit<Parameters<StatesDoor['page']>[0], 'cursor'>) {
  const found: ObjectStatus[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await door.page({ ...query, ...(cursor !== undefined && { cursor }) })
    expect(page.objects.length).toBeLessThanOrEqual(query.limit)
    found.push(...page.objects)
    cursor = page.cursor
  }
  return found
}

const FATES = ['done', 'dead', 'unprocessed', 'queued', 'deleted', 'gone'] as const
type Fate = (typeof FATES)[number]
const shown = (fate: Fate): ObjectProgress => (fate === 'deleted' ? 'queued' : fate)
const objectsOf = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-c]{1,3}$/),
    fate: fc.constantFrom(...FATES),
    bucket: fc.constantFrom(BUCKET, 'papers'),
  }),
  { maxLength: 12, selector: ({ name, bucket }) => `${bucket}/${name}` },
)
const queryOf = fc.record({
  limit: fc.integer({ min: 1, max: 5 }),
  looksAtMost: fc.integer({ min: 1, max: 20 }),
  progress: fc.option(fc.constantFrom<ObjectProgress>('done', 'dead', 'unprocessed', 'queued', 'gone'), {
    nil: undefined,
  }),
  prefix: fc.constantFrom('', 'a', 'b', 'private/'),
  bucket: fc.constantFrom(undefined, BUCKET, 'papers'),
})

describe('the states of all buckets', () => {
  it('are shown page by page, each once, in the order of buckets and keys', async () => {
    await fc.assert(
      fc.asyncProperty(objectsOf, queryOf, async (objects, { looksAtMost, limit, progress, prefix, bucket }) => {
        const { made, door } = await world(looksAtMost)
        await made.blobs.createBucket('papers')
        const all = objects.map(({ name, ...more }) => ({
          key: more.fate === 'unprocessed' ? `private/${name}` : name,
          ...more,
        }))
        const worker = made.reconciler('worker')
        for (const { key, fate, bucket: at } of all) {
          const blobs = made.blobs.bucket(at)
          await blobs.put(key, new TextEncoder().encode(fate === 'dead' ? 'fail' : key))
          if (fate !== 'queued') await worker.reconcile(at, key)
          if (fate === 'deleted' || fate === 'gone') await blobs.delete(key)
          if (fate === 'gone') await worker.reconcile(at, key)
        }
        const isThere = (fate: Fate) => fate !== 'deleted' && fate !== 'gone'
        const wanted = all.filter(
          ({ key, fate, bucket: at }) =>
            key.startsWith(prefix) &&
            (bucket === undefined || at === bucket) &&
            (progress === undefined ? fate !== 'gone' : shown(fate) === progress),
        )
        const text = (one: { bucket: string; key: string }, state: string) => `${one.bucket} ${one.key} ${state}`
        const found = await allPages(door, {
          limit,
          prefix,
          ...(progress && { progress }),
          ...(bucket !== undefined && { bucket }),
        })
        expect(found.map((one) => text(one, one.progress)).sort()).toEqual(
          wanted.map((one) => text(one, shown(one.fate))).sort(),
        )
        const ordered = found.filter(({ version }) => version !== null).map((one) => text(one, ''))
        expect(ordered).toEqual(
          wanted
            .filter(({ fate }) => isThere(fate))
            .map((one) => text(one, ''))
            .sort(),
        )
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) },
    )
  })

  it('tell why an object is dead, and have it processed again', async () => {
    const { made, door, told } = await world()
    await made.put('up/bad', 'fail')
    await made.put('up/good', 'one')
    await made.settle()
    expect(await door.status(BUCKET, 'up/bad')).toMatchObject({ progress: 'dead', error: { code: 'corrupt-file' } })
    expect(await door.replay(BUCKET, { prefix: 'up/', dead: true })).toBe(1)
    expect(told).toEqual(['media/up/bad'])
    expect(await door.status(BUCKET, 'up/bad')).toMatchObject({ progress: 'queued' })
    expect(await door.replay(BUCKET, { key: 'up/good' })).toBe(1)
    expect(await door.replay(BUCKET, { key: 'nothing' })).toBe(0)
  })

  it('are shown although one of them is damaged', async () => {
    const { made, door } = await world()
    await made.put('a', 'one')
    await made.put('b', 'two')
    await made.settle()
    await made.store.put(stateKey(BUCKET, 'a'), new TextEncoder().encode('damaged'))
    const { objects } = await door.page({ limit: 10 })
    expect(objects).toMatchObject([
      { key: 'a', progress: 'queued', error: { code: 'object-state-damaged' } },
      { key: 'b', progress: 'done' },
    ])
    await made.bucket.delete('a')
    expect(await allPages(door, { limit: 10 })).toMatchObject([{ key: 'b' }])
  })

  it('refuse buckets that are not there, and foreign cursors', async () => {
    const { made, door } = await world()
    await made.put('a', 'one')
    await made.put('b', 'one')
    await expect(door.page({ bucket: 'nope', limit: 1 })).rejects.toMatchObject({ code: 'no-such-bucket' })
    await expect(door.status('nope', 'a')).rejects.toMatchObject({ code: 'no-such-bucket' })
    await expect(door.replay('nope', { prefix: '' })).rejects.toMatchObject({ code: 'no-such-bucket' })
    const { cursor } = await door.page({ limit: 1 })
    await made.blobs.createBucket('papers')
    for (const bad of ['', 'x', 'bnVsbA', Buffer.from('["a","b","c"]').toString('base64url')])
      await expect(door.page({ limit: 1, cursor: bad })).rejects.toMatchObject({ code: 'bad-cursor' })
    await expect(door.page({ limit: 1, bucket: 'papers', cursor: cursor as string })).rejects.toMatchObject({
      code: 'bad-cursor',
    })
  })
})
