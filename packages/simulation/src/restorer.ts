/**
 * An operator who brings objects back that the garbage collector deleted, as a bucket with versions or a backup lets
 * everybody do: entries of the log, files and manifests of snapshots, copies of deltas, objects of the catalog. The keys are
 * never used again, so nothing may change, and what came back is garbage once more.
 *
 * Deltas of inboxes are left out: one whose key is forgotten would be taken for a new one (docs/explanation/reliability.md).
 */
import { parseKey } from 'siltstone/internal'
import type { World } from './world.ts'

export async function runRestorer(world: World, name: string): Promise<void> {
  const chance = world.chance.split(name)
  const { bucket, marks, network, scheduler, trace } = world
  for (let left = 40; left > 0 && !network.calm && !world.violation; left--) {
    await scheduler.sleep(chance.between(100, 5_000))
    const gone = bucket.removed.filter(({ key }) => kindOf(key) !== undefined && bucket.peek(key) === undefined)
    if (gone.length === 0) continue
    const { key, body } = chance.pick(gone)
    trace.add(scheduler.nowMs, name, 'restore', key, '')
    marks.hit(`restored: ${kindOf(key)}`)
    bucket.put(key, body, { ifAbsent: true }, name)
  }
}

function kindOf(key: string): 'entry' | 'snapshot' | 'catalog' | undefined {
  if (key.startsWith('catalog/')) return 'catalog'
  if (key.startsWith('snapshot/')) return 'snapshot'
  return parseKey(key)?.kind === 'log-entry' ? 'entry' : undefined
}
