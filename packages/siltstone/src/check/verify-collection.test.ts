import { beforeEach, describe, expect, it } from 'vitest'
import { StoreEngine, pathOf } from '../engine/engine.ts'
import type { Collection } from '../model/store.ts'
import { encodeEntry } from '../format/entry.ts'
import { encodeChecked } from '../format/manifest.ts'
import { inboxKey, inboxPrefix, logEntryKey, manifestPrefix, pointerKey, segmentPrefix } from '../format/keys.ts'
import { decodePointer } from '../format/pointer.ts'
import { produce } from '../log/produce.ts'
import type { Environment } from '../ports/environment.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { RecordOp } from '../model/record.ts'
import { defaultCompactLimits } from '../compact/compact-limits.ts'
import { directoryLimits } from '../log/log-limits.ts'
import { repairCollection } from './repair.ts'
import { verifyCollection } from './verify-collection.ts'
import { collectionRequest } from '../testing/operations.ts'

let env: Environment
let engine: StoreEngine
let collection: Collection
let path: string

beforeEach(async () => {
  env = memoryEnvironment({ seed: 7 })
  engine = await StoreEngine.open({ env })
  const { info } = await engine.catalog.createCollection(collectionRequest('stones'))
  collection = await engine.collection(info.tenant, info.database, info.id)
  path = pathOf(info)
})

const add = (id: string, x = 1): RecordOp => ({
  op: 'add',
  id,
  vector: Float32Array.of(x, 2),
  document: `text of ${id}`,
  metadata: '{"n":1}',
  uri: null,
})
const change = (id: string): RecordOp => ({
  ...add(id),
  op: 'update',
  vector: null,
  document: 'changed',
  metadata: null,
})
const remove = (id: string): RecordOp => ({ ...add(id), op: 'delete', vector: null, document: null, metadata: null })

const verify = (deep = true) => verifyCollection(env, path, { deep })
const repair = (dryRun = false) =>
  repairCollection(env, path, { log: directoryLimits, compact: defaultCompactLimits, name: 'repair', dryRun })

async function keys(prefix: string): Promise<string[]> {
  return (await env.store.list(prefix)).objects.map(({ key }) => key)
}

async function overwrite(key: string, body: Uint8Array): Promise<void> {
  await env.store.delete([key])
  await env.store.put(key, body)
}

async function read(key: string): Promise<Uint8Array> {
  const got = await env.store.get(key)
  if (got.status !== 'ok') throw new Error(`${key}: ${got.status}`)
  return got.body
}

/** Flips one bit in the middle. */
async function damage(key: string): Promise<void> {
  const body = Uint8Array.from(await read(key))
  const middle = body.length >> 1
  body[middle] = (body[middle] as number) ^ 1
  await overwrite(key, body)
}

/** Drops a delta that the next entry copies, because it is too large to stand in the entry. */
async function dropLarge(id: string): Promise<string> {
  const records = [{ ...add(id), document: 'x'.repeat(300_000) }]
  return (await produce(env, path, { records }, { maxBytes: 1e6 })).key
}

/** The copy that the only entry with a copy names, once the delta has left the inbox. */
async function copyOf(key: string): Promise<string> {
  expect(await env.store.head(key)).toBeUndefined()
  const copies = await keys(`snapshot/${path}/taken/`)
  expect(copies).toHaveLength(1)
  return copies[0] ?? ''
}

/** Two folds, a deletion, an overlay, a fresh entry and a delta in the inbox. */
async function fill(): Promise<void> {
  await collection.write([add('a'), add('b'), add('c')])
  await engine.compact(path, { merge: false })
  await collection.write([remove('a'), change('b'), add('d')])
  await engine.compact(path, { merge: false })
  await collection.write([add('e')])
  await produce(env, path, { records: [add('f')] }, { maxBytes: 1e6 })
}

const current = async () => decodePointer(await read(pointerKey(path)), pointerKey(path))
const found = async (deep = true) => (await verify(deep)).problems.map(({ key, severity }) => ({ key, severity }))

describe('verify', () => {
  it('finds nothing wrong with a collection that is whole, and counts what is there', async () => {
    await fill()
    const report = await verify()
    expect(report.problems).toEqual([])
    expect(report).toMatchObject({ state: 'live', watermark: 2, version: 3, liveRecords: 5 })
    expect(report.figures).toMatchObject({ entries: 1, foldedEntries: 2, inboxDeltas: 1, snapshotRecords: 3 })
    expect(report.figures.segments).toBe(2)
    const stored = await keys(`snapshot/${path}/`)
    const log = await keys(`delta/${path}/`)
    expect(report.figures.objects + report.figures.unreferencedObjects).toBe(stored.length + log.length)
  })

  it('accepts a collection without any write, and one that was deleted', async () => {
    expect(await verify()).toMatchObject({ problems: [], state: 'never-folded', liveRecords: 0 })
    await fill()
    await engine.catalog.deleteCollection('default_tenant', 'default_database', 'stones')
    await engine.compact(path)
    expect(await verify()).toMatchObject({ problems: [], state: 'closed', liveRecords: 0 })
  })

  it('finds a flipped bit in every kind of object', async () => {
    await fill()
    const pinned = (await collection.snapshots()).find((one) => !one.current)?.key
    for (const key of [...(await keys(`snapshot/${path}/`)), ...(await keys(`delta/${path}/0`))]) {
      const whole = await read(key)
      await damage(key)
      const problems = await found()
      expect(problems, key).not.toEqual([])
      const folded = key === pinned || (key < logEntryKey(path, 3) && key.startsWith('delta/'))
      expect(
        problems.some(({ severity }) => severity === 'error'),
        key,
      ).toBe(!folded)
      await overwrite(key, whole)
    }
    expect(await found()).toEqual([])
  })

  it('finds objects that are missing or cut, without reading their bytes', async () => {
    await fill()
    for (const key of await keys(segmentPrefix(path))) {
      const whole = await read(key)
      await overwrite(key, whole.subarray(0, whole.length - 1))
      expect(await found(false), key).toEqual([{ key, severity: 'error' }])
      await env.store.delete([key])
      expect(await found(false), key).toEqual([{ key, severity: 'error' }])
      await overwrite(key, whole)
    }
  })

  it('finds a gap in the log', async () => {
    await collection.write([add('a')])
    await collection.write([add('b')])
    await env.store.delete([logEntryKey(path, 1)])
    expect(await found()).toEqual([{ key: logEntryKey(path, 1), severity: 'error' }])
  })

  it('counts a refused delta, and complains of one that vanished after it was sequenced', async () => {
    await collection.write([add('a')])
    await env.store.put(inboxKey(path, env.ids.ulid()), Buffer.from('no arrow'))
    const key = await dropLarge('b')
    await collection.write([add('c')])
    const copy = await copyOf(key)
    expect(await verify()).toMatchObject({ problems: [], liveRecords: 3, figures: { refusedDeltas: 1 } })
    await env.store.delete([copy])
    expect(await found()).toEqual([{ key: copy, severity: 'error' }])
  })

  it('sees that counts or ids do not fit together', async () => {
    await fill()
    const key = await current()
    const text = Buffer.from(await read(key)).toString()
    const { manifest } = JSON.parse(text) as { manifest: Record<string, unknown> }
    await overwrite(key, encodeChecked({ ...manifest, liveRecords: 17 }))
    expect((await verify()).problems.map(({ problem }) => problem)).toEqual([
      'it says 17 live records, its segments less their deletions have 3',
    ])
    const segments = manifest['segments'] as { deletions: unknown }[]
    const undeleted = segments.map((ref) => ({ ...ref, deletions: null }))
    await overwrite(key, encodeChecked({ ...manifest, segments: [...undeleted, undeleted[0]], liveRecords: 7 }))
    const problems = (await verify()).problems.map(({ problem }) => problem)
    expect(problems).toContain('the id "a" is live twice')
    expect(problems).toContain('two live records have the place 0 in the order of insertion')
  })
})

describe('repair', () => {
  it('does nothing to a collection that is whole', async () => {
    await fill()
    const before = await keys('')
    expect(await repair()).toMatchObject({ actions: [], problems: [], busy: false })
    expect(await keys('')).toEqual(before)
  })

  it.each(['gone', 'changed'])('voids a sequenced delta that is %s, and readers and writers go on', async (how) => {
    await collection.write([add('a')])
    const key = await dropLarge('b')
    await collection.write([add('c')])
    const copy = await copyOf(key)
    if (how === 'gone') await env.store.delete([copy])
    else await env.store.put(copy, Buffer.from('something else'))
    const second = await StoreEngine.open({ env })
    const reopened = await second.collection('default_tenant', 'default_database', collection.info.id)
    await expect(reopened.count()).rejects.toMatchObject({ kind: 'corrupt', key: copy })
    await expect(reopened.write([add('d')])).rejects.toMatchObject({ kind: 'corrupt', key: copy })

    expect((await repair(true)).actions).toEqual([expect.objectContaining({ kind: 'void', key })])
    await expect(reopened.count()).rejects.toMatchObject({ kind: 'corrupt', key: copy })
    const report = await repair()
    expect(report).toMatchObject({ problems: [], actions: [{ kind: 'void', key }] })

    expect((await reopened.get({ include: {} })).ids).toEqual(['a', 'c'])
    await reopened.write([add('d')])
    await second.compact(path)
    expect((await reopened.get({ include: {} })).ids).toEqual(['a', 'c', 'd'])
    expect((await verify()).problems).toEqual([])
    expect((await repair()).actions).toEqual([])
  })

  it('a reader that stands on a voided mention follows a fold that stopped before it', async () => {
    await collection.write([add('a')])
    const key = await dropLarge('b')
    await collection.write([add('c')])
    await env.store.delete([await copyOf(key)])
    await repair()
    const reader = await StoreEngine.open({ env })
    const reading = await reader.collection('default_tenant', 'default_database', collection.info.id)
    expect(await reading.count()).toBe(2)
    const stop = new AbortController()
    const put = env.store.put.bind(env.store)
    env.store.put = async (name, body, options) => {
      if (name === pointerKey(path)) stop.abort()
      return put(name, body, options)
    }
    const slow = await StoreEngine.open({ env, compact: { ...defaultCompactLimits, foldBytes: 1 } })
    await slow.compact(path, { signal: stop.signal })
    expect(await verify()).toMatchObject({ watermark: 1, version: 3, problems: [] })
    expect((await reading.get({ include: {} })).ids).toEqual(['a', 'c'])
  })

  it('voids although another process appends at the same time', async () => {
    const key = await dropLarge('b')
    await collection.write([add('a')])
    await env.store.delete([await copyOf(key)])
    let raced = false
    const put = env.store.put.bind(env.store)
    env.store.put = async (name, body, options) => {
      if (!raced && name === logEntryKey(path, 2)) {
        raced = true
        const rival = {
          id: env.ids.ulid(),
          number: 2,
          collection: path,
          createdAtMs: 0,
          writer: 'rival',
          sequenced: [],
        }
        await put(name, encodeEntry({ ...rival, records: [add('r')], control: null }), { ifAbsent: true })
      }
      return put(name, body, options)
    }
    expect(await repair()).toMatchObject({ problems: [], actions: [{ kind: 'void', key }] })
    expect(raced).toBe(true)
    expect(await verify()).toMatchObject({ version: 3, liveRecords: 2 })
  })

  it('makes a pointer again that was lost', async () => {
    await fill()
    const was = await current()
    await env.store.delete([pointerKey(path)])
    expect((await found())[0]).toEqual({ key: pointerKey(path), severity: 'error' })
    expect(await repair(true)).toMatchObject({ actions: [{ kind: 'publish', key: was }] })
    expect(await keys(pointerKey(path))).toEqual([])
    expect(await repair()).toMatchObject({ actions: [{ kind: 'publish', key: was }], problems: [] })
    const second = await (await StoreEngine.open({ env })).collection(
      'default_tenant',
      'default_database',
      collection.info.id,
    )
    expect((await second.get({ include: {} })).ids).toEqual(['b', 'c', 'd', 'e', 'f'])
    expect(await second.count()).toBe(5)
  })

  it('takes an older snapshot for a damaged one and folds the kept entries again', async () => {
    await fill()
    const older = (await collection.snapshots()).find((one) => !one.current)
    await damage(await current())
    const report = await repair()
    expect(report.actions).toMatchObject([{ kind: 'publish', key: older?.key }])
    // Nothing keeps the damaged manifest, so it is not reported.
    expect(report.problems).toEqual([])
    await engine.compact(path)
    expect((await collection.get({ include: {} })).ids).toEqual(['b', 'c', 'd', 'e', 'f'])
    expect((await collection.snapshots())[0]?.liveRecords).toBe(5)
    expect((await verify()).problems).toEqual([])
  })

  it('does not take an older snapshot when entries after it are gone', async () => {
    await fill()
    const damaged = await current()
    await damage(damaged)
    await env.store.delete([logEntryKey(path, 2)])
    const report = await repair()
    expect(report.actions).toEqual([])
    expect(report.refused.map(({ reason }) => reason)).toContainEqual(expect.stringContaining('entry 2'))
    expect(report.problems).toContainEqual(expect.objectContaining({ key: damaged, severity: 'error' }))
    expect(await current()).toBe(damaged)
  })

  it('names the snapshots to go back to when a segment is damaged and the log does not have it any more', async () => {
    await fill()
    const [first] = (await collection.snapshots()).filter((one) => !one.current)
    const all = await keys(segmentPrefix(path))
    const last = all.at(-1) as string
    await damage(last)
    await env.store.delete([logEntryKey(path, 2)])
    const report = await repair()
    expect(report.actions).toEqual([])
    expect(report.problems).toContainEqual(expect.objectContaining({ key: last }))
    // Not to repair once more.
    expect(report.problems).not.toContainEqual(
      expect.objectContaining({ remedy: expect.stringContaining('siltstone repair') }),
    )
    expect(report.problems).toContainEqual(
      expect.objectContaining({ remedy: expect.stringContaining('from a backup') }),
    )
    expect(report.wholeSnapshots).toEqual([first?.name])
    await collection.rollback(first?.name as string)
    await engine.compact(path, { merge: false })
    expect((await collection.get({ include: {} })).ids).toEqual(['a', 'b', 'c'])
  })

  it('fences a compaction that began on the lost head', async () => {
    await fill()
    await repair()
    const manifests = await keys(manifestPrefix(path))
    await env.store.delete([pointerKey(path)])
    await repair()
    const { manifest } = JSON.parse(Buffer.from(await read(await current())).toString()) as {
      manifest: { gcEpoch: number; resetEpoch: number; kind: string }
    }
    expect(manifests).not.toContain(await current())
    expect(manifest).toMatchObject({ kind: 'repair', gcEpoch: 1, resetEpoch: 1 })
  })

  it('never deletes', async () => {
    await fill()
    await damage(await current())
    const before = [...(await keys(`snapshot/${path}/`)), ...(await keys(inboxPrefix(path)))]
    await repair()
    const after = [...(await keys(`snapshot/${path}/`)), ...(await keys(inboxPrefix(path)))]
    expect(after).toEqual(expect.arrayContaining(before))
  })
})

it('reads the same under an older copy of the pointer while the entries since then are kept', async () => {
  await collection.write([add('a')])
  await engine.compact(path)
  const older = await env.store.get(pointerKey(path))
  await collection.write([add('b'), change('a')])
  await engine.compact(path)
  const read = async () => {
    const fresh = await StoreEngine.open({ env })
    const { tenant, database, id } = await fresh.catalog.getCollection('default_tenant', 'default_database', 'stones')
    const answer = await (await fresh.collection(tenant, database, id)).get({ include: { documents: true } })
    return [answer.ids, answer.documents]
  }
  const before = await read()
  await overwrite(pointerKey(path), older.status === 'ok' ? older.body : new Uint8Array())
  expect(await read()).toEqual(before)
  expect((await verify()).problems).toEqual([])
})
