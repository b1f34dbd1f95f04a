import { describe, expect, it } from 'vitest'
import { ProcessingRules } from './rules.ts'
import { StateStore } from './state-store.ts'
import { sweep } from './sweep.ts'
import { BUCKET, ProcessWorld } from './testing/process-world.ts'

const DAY_MS = 24 * 3_600_000

async function world() {
  const made = await ProcessWorld.make()
  made.rules = new ProcessingRules([
    { prefix: 'up/', expireDays: 30 },
    { prefix: 'up/once/', expireDays: 30, onExpire: 'delete' },
  ])
  const states = new StateStore(made.store, made.ids)
  const reconciler = made.reconciler('worker')
  /** Sweeps, and works on what it finds if that is told. @returns how many objects expired */
  const swept = async (isTold = true) => {
    const found: [string, 'expired' | undefined][] = []
    const { expired } = await sweep({
      bucket: BUCKET,
      blobs: made.bucket,
      states,
      reconciler,
      found: async (key, deleted) => void found.push([key, deleted]),
      onDamaged: (error) => {
        throw error
      },
      expiresBeforeMs: (key) => {
        const expiry = made.rules.expiryOf(BUCKET, key)
        return expiry && made.clock.now - expiry.ageMs
      },
    })
    if (isTold)
      for (const [key, deleted] of found) await reconciler.reconcile(BUCKET, key, { ...(deleted && { deleted }) })
    return expired
  }
  const shown = async (key: string) => {
    const read = await states.read(BUCKET, key)
    const documents = (await made.recordsOf(key)).map(({ document }) => document)
    return [read?.state.progress, (await made.bucket.head(key)).status === 'ok', documents.join()]
  }
  return { made, reconciler, swept, shown }
}

describe('an object whose time is over', () => {
  it('is deleted by a sweep; its records and files stay, or go with it, as the rule says', async () => {
    const { made, swept, shown } = await world()
    await made.put('up/a', 'one\nthumbnail')
    await made.put('up/once/b', 'two')
    await made.put('kept', 'three')
    const writtenMs = made.clock.now
    await made.settle()
    made.clock.now = writtenMs + 30 * DAY_MS
    expect(await swept()).toBe(0)
    made.clock.now += 1
    expect(await swept()).toBe(2)
    expect(await shown('up/a')).toEqual(['expired', false, 'one'])
    expect(await shown('up/once/b')).toEqual(['gone', false, ''])
    expect(await shown('kept')).toEqual(['done', true, 'three'])
    expect(await made.derived()).toHaveLength(1)
    // Nothing more happens to them.
    expect(await swept()).toBe(0)
    expect(await shown('up/a')).toEqual(['expired', false, 'one'])
    expect(await made.derived()).toHaveLength(1)
  })

  it('keeps its records although nobody told of it, as when the sweep was killed', async () => {
    const { made, swept, shown } = await world()
    await made.put('up/a', 'one')
    await made.settle()
    made.clock.now += 31 * DAY_MS
    expect(await swept(false)).toBe(1)
    expect(await shown('up/a')).toEqual(['done', false, 'one'])
    await swept()
    expect(await shown('up/a')).toEqual(['expired', false, 'one'])
  })

  it('loses them when somebody deletes it, then or before, and is new when it is uploaded again', async () => {
    const { made, reconciler, swept, shown } = await world()
    await made.put('up/a', 'one')
    await made.put('up/b', 'two')
    await made.settle()
    await made.bucket.delete('up/b')
    await reconciler.reconcile(BUCKET, 'up/b', { deleted: 'removed' })
    expect(await shown('up/b')).toEqual(['gone', false, ''])
    made.clock.now += 31 * DAY_MS
    await swept()
    await made.put('up/a', 'again')
    await made.settle()
    expect(await shown('up/a')).toEqual(['done', true, 'again'])
    made.clock.now += 31 * DAY_MS
    await swept()
    expect(await shown('up/a')).toEqual(['expired', false, 'again'])
    await reconciler.reconcile(BUCKET, 'up/a', { deleted: 'removed' })
    expect(await shown('up/a')).toEqual(['gone', false, ''])
  })

  it('keeps them although a replay was asked for before anybody noticed, has begun, or has failed', async () => {
    for (const until of ['asked', 'begun', 'failed'] as const) {
      const { made, reconciler, shown } = await world()
      made.flakes = 0
      await made.put('up/a', 'one\nflaky')
      await made.settle()
      await made.replay('up/a')
      const stalled = made.actor('stalled')
      if (until === 'begun') {
        stalled.begin('up/a')
        await stalled.stepTo('commitIf')
      } else if (until === 'failed') {
        made.flakes = 1
        await reconciler.reconcile(BUCKET, 'up/a')
        expect(await shown('up/a')).toEqual(['failed', true, 'flaky,one'])
      }
      await made.bucket.delete('up/a')
      await reconciler.reconcile(BUCKET, 'up/a', { deleted: 'expired' })
      expect(await shown('up/a')).toEqual(['expired', false, 'flaky,one'])
      await reconciler.reconcile(BUCKET, 'up/a', { deleted: 'removed' })
      // Whose commit was on its way is fenced off.
      await stalled.finish()
      expect(await shown('up/a')).toEqual(['gone', false, ''])
    }
  })

  it('does not keep a mixture of two runs: one that has written a part of its records has none that are whole', async () => {
    const { made, reconciler, shown } = await world()
    const lines = Array.from({ length: 1_000 }, (_, k) => `line ${k}`)
    made.flakes = 0
    await made.put('up/a', [...lines, 'flaky'].join('\n'))
    await made.settle()
    await made.replay('up/a')
    made.flakes = 1
    await reconciler.reconcile(BUCKET, 'up/a')
    expect((await made.recordsOf('up/a')).length).toBeGreaterThan(1_000)
    await made.bucket.delete('up/a')
    await reconciler.reconcile(BUCKET, 'up/a', { deleted: 'expired' })
    expect(await shown('up/a')).toEqual(['gone', false, ''])
  })

  it('waits for its records', async () => {
    const { made, swept, shown } = await world()
    await made.put('up/a', 'one')
    made.clock.now += 31 * DAY_MS
    // The sweep finds that there is work, and deletes nothing before it is done.
    expect(await swept()).toBe(0)
    expect(await shown('up/a')).toEqual(['done', true, 'one'])
    expect(await swept()).toBe(1)
    expect(await shown('up/a')).toEqual(['expired', false, 'one'])
  })
})
