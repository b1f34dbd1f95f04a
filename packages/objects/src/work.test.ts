import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from 'siltstone/internal'
import { afterEach, expect, it, vi } from 'vitest'
import { openObjects } from './open-objects.ts'
import { ProcessingRules } from './process/rules.ts'
import { openWork } from './work.ts'

const data = mkdtempSync(join(tmpdir(), 'siltstone-work-'))
afterEach(() => rmSync(data, { recursive: true, force: true }))

it('a worker of one bucket never takes an object for that of another', async () => {
  const work = await openWork({
    data,
    address: { place: 'siltstone', bucket: 'one', key: '' },
    rules: new ProcessingRules(),
    concurrency: 1,
    log: silentLogger,
  })
  const [one, two] = [await openObjects(data, { bucket: 'one' }), await openObjects(data, { bucket: 'two' })]
  try {
    // Both are told in the queue of the directory.
    await one.put('a.txt', Buffer.from('Of the first bucket.'))
    await two.put('b.txt', Buffer.from('Of the second bucket.'))
    work.start()
    await vi.waitFor(
      async () =>
        expect([await one.status('a.txt'), await two.status('b.txt')]).toMatchObject([
          { progress: 'done' },
          { progress: 'done' },
        ]),
      { timeout: 30_000 },
    )
    expect(await two.search('which bucket?')).toMatchObject([{ bucket: 'two', text: 'Of the second bucket.' }])
    const all = []
    for await (const status of two.statuses()) all.push(status.key)
    expect(all).toEqual(['b.txt'])
  } finally {
    await work.close()
    await Promise.all([one.close(), two.close()])
  }
})
