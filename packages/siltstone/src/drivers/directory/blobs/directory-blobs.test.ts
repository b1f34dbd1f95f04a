import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { describeBlobStore } from '../../../ports/blob-store.contract.ts'
import type { BlobStore } from '../../../ports/blob-store.ts'
import { seededRandom } from '../../../ports/seeded-random.ts'
import { blobText, bytes, pattern } from '../../../ports/store-testing.contract.ts'
import { checksumOf } from '../../../host/blob-checksum.ts'
import { systemClock } from '../../../host/system-clock.ts'
import { systemIds } from '../../../host/system-ids.ts'
import { systemRandom } from '../../../host/system-random.ts'
import { ManualClock } from '../../memory/manual-clock.ts'
import { MemoryBlobs } from '../../memory/memory-blobs.ts'
import { DirectoryBlobs } from './directory-blobs.ts'

const folders: string[] = []
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'siltstone-blobs-'))
  folders.push(path)
  return path
}
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true })
})
const filesIn = (path: string) =>
  readdirSync(join(path, 'blobs', 'data'), { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    .length

describeBlobStore('directory', async () => {
  const buckets = await DirectoryBlobs.open(folder(), { clock: systemClock, random: systemRandom })
  await buckets.createBucket('test-bucket')
  return { store: buckets.bucket('test-bucket'), dispose: () => buckets.close() }
})

const HOUR = 3_600_000

describe('a directory of blobs', () => {
  async function open(path = folder(), startMs = Date.now()) {
    const clock = new ManualClock(startMs)
    const buckets = await DirectoryBlobs.open(path, { clock, random: seededRandom(1) })
    await buckets.createBucket('media')
    return { path, clock, buckets, store: buckets.bucket('media') }
  }

  it('shows what it acknowledged to another process that opens it', async () => {
    const { path, buckets, store } = await open()
    await store.put('large', pattern(100_000))
    await buckets.close()
    const again = await DirectoryBlobs.open(path, { clock: systemClock, random: systemRandom })
    const got = await again.bucket('media').get('large')
    expect(got.status === 'ok' && (await blobText(got.body)).length).toBe(100_000)
    await again.close()
  })

  it('removes the files of what was replaced or deleted after five minutes, never those in use', async () => {
    const { path, clock, buckets, store } = await open()
    await store.put('a', pattern(50_000))
    await store.copy({ key: 'a' }, 'b')
    await store.put('a', pattern(60_000))
    expect(filesIn(path)).toBe(2)
    await store.delete('b')
    expect((await buckets.maintain()).filesRemoved).toBe(0)
    await clock.advance(5 * 60_000)
    expect((await buckets.maintain()).filesRemoved).toBe(1)
    expect(filesIn(path)).toBe(1)
    const got = await store.get('a')
    expect(got.status === 'ok' && (await blobText(got.body)).length).toBe(60_000)
    await buckets.close()
  })

  it('removes stray files of a crash, and refuses the late end of their upload', async () => {
    const { path, clock, buckets, store } = await open()
    let resume = () => {}
    const stalled = new Promise<void>((resolve) => {
      resume = resolve
    })
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield pattern(2_000_000)
      await stalled
      yield bytes('end')
    }
    const late = store.put('late', body())
    await expect.poll(() => filesIn(path)).toBe(1)
    await clock.advance(2 * HOUR)
    expect((await buckets.maintain()).strayFiles).toBe(1)
    resume()
    await expect(late).rejects.toMatchObject({ code: 'upload-too-slow' })
    expect(await store.head('late')).toEqual({ status: 'not-found' })
    await clock.advance(5 * 60_000)
    expect((await buckets.maintain()).filesRemoved).toBe(1)
    await buckets.close()
  })

  it('hashes a body of many blocks as it is, and keeps nothing of one that fails', async () => {
    const { path, buckets, store } = await open()
    const body = pattern(3_000_001)
    const stream = async function* (bytes: Uint8Array) {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
    }
    const algorithm = 'CRC64NVME'
    const expected = () => checksumOf(algorithm, body)
    const put = await store.put('large', stream(body), { checksum: { algorithm, expected } })
    const etag = `"${createHash('md5').update(body).digest('hex')}"`
    expect(put).toMatchObject({ status: 'ok', blob: { etag, checksum: { algorithm, value: expected() } } })
    const files = filesIn(path)
    const failing = async function* () {
      yield* stream(body)
      throw new Error('the connection was closed')
    }
    const bodies = [failing(), stream(body.subarray(1))]
    for (const wrong of bodies)
      await expect(store.put('large', wrong, { checksum: { algorithm, expected } })).rejects.toThrow(/closed|CRC64NVME/)
    expect(filesIn(path)).toBe(files)
    const all = await Promise.all(Array.from({ length: 5 }, (_, n) => store.put(`${n}`, stream(body.subarray(n)))))
    for (const [n, one] of all.entries())
      expect(one).toMatchObject({ blob: { etag: `"${createHash('md5').update(body.subarray(n)).digest('hex')}"` } })
    await buckets.close()
  })

  it('aborts uploads after seven days', async () => {
    const { clock, buckets, store } = await open()
    const { uploadId } = await store.createUpload('k')
    await store.putPart('k', uploadId, 1, bytes('x'))
    await clock.advance(7 * 24 * HOUR)
    expect((await buckets.maintain()).uploadsAborted).toBe(1)
    await expect(store.listParts('k', uploadId)).rejects.toMatchObject({ code: 'no-such-upload' })
    await buckets.close()
  })

  it('answers a repeated completion like the first', async () => {
    const { buckets, store } = await open()
    const { uploadId } = await store.createUpload('k')
    const part = await store.putPart('k', uploadId, 1, bytes('x'))
    const first = await store.completeUpload('k', uploadId, [part])
    expect(await store.completeUpload('k', uploadId, [part])).toMatchObject(first)
    await buckets.close()
  })

  it('deletes only empty buckets', async () => {
    const { buckets, store } = await open()
    expect(await buckets.createBucket('media')).toBe(false)
    await store.put('k', bytes('x'))
    await expect(buckets.deleteBucket('media')).rejects.toMatchObject({ code: 'bucket-not-empty' })
    await store.delete('k')
    const { uploadId } = await store.createUpload('k')
    await store.putPart('k', uploadId, 1, bytes('x'))
    await buckets.deleteBucket('media')
    await buckets.createBucket('media')
    expect((await store.listUploads()).uploads).toEqual([])
    await buckets.deleteBucket('media')
    await expect(store.put('k', bytes('x'))).rejects.toMatchObject({ code: 'no-such-bucket' })
    await expect(buckets.createBucket('Not_a_bucket')).rejects.toMatchObject({ code: 'bad-bucket-name' })
    await buckets.close()
  })
})

describe('a directory of blobs whose writers are killed', () => {
  interface Acknowledged {
    key: string
    n: number
    size: number
    byte: number
  }

  /** Kills a writer after so many acknowledgements. */
  function killed(path: string, name: string, after: number): Promise<Acknowledged[]> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [
        fileURLToPath(new URL('./blob-writer.child.ts', import.meta.url)),
        path,
        name,
      ])
      let out = ''
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString()
        if (out.split('\n').length > after) child.kill('SIGKILL')
      })
      let err = ''
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
      child.on('error', reject)
      child.on('close', (_, signal) => {
        const lines = out.split('\n').slice(0, -1)
        if (signal !== 'SIGKILL') reject(new Error(`the writer ended by itself: ${err}`))
        else resolve(lines.map((line) => JSON.parse(line) as Acknowledged))
      })
    })
  }

  it('keeps what was acknowledged, whole, and lists nothing else', async () => {
    const path = folder()
    const rounds = await Promise.all([killed(path, 'one', 30), killed(path, 'two', 60)])
    const acknowledged = rounds.flat()
    const last = new Map<string, Acknowledged>()
    for (const one of acknowledged) last.set(one.key, one)
    const buckets = await DirectoryBlobs.open(path, { clock: systemClock, random: systemRandom })
    const store = buckets.bucket('killed')
    const { blobs } = await store.list()
    const listed = new Set(blobs.map(({ key }) => key))
    expect([...last.keys()].filter((key) => !listed.has(key))).toEqual([])
    for (const { key, sizeBytes } of blobs) {
      const got = await store.get(key)
      const text = got.status === 'ok' ? await blobText(got.body) : ''
      // Whole: of one size and one byte, at least as new as the last acknowledged put.
      expect(text.length).toBe(sizeBytes)
      expect(new Set(text).size).toBe(1)
      const known = last.get(key)
      if (known !== undefined) expect(text.charCodeAt(0)).toBeGreaterThanOrEqual(known.byte)
    }
    await buckets.close()
  })
})

describe('a directory of blobs against the model in memory', () => {
  const KEYS = ['a', 'a/b', '..', '\u{1f600}', '\uffee']
  const key = fc.constantFrom(...KEYS)
  const step = fc.oneof(
    fc.record({ op: fc.constant('put' as const), key, size: fc.constantFrom(0, 3, 20_000), ifAbsent: fc.boolean() }),
    fc.record({ op: fc.constant('delete' as const), key }),
    fc.record({ op: fc.constant('copy' as const), key, to: key }),
    fc.record({
      op: fc.constant('versioning' as const),
      to: fc.constantFrom('enabled' as const, 'suspended' as const),
    }),
    fc.record({ op: fc.constant('drop' as const), at: fc.nat(10) }),
    fc.record({
      op: fc.constant('list' as const),
      delimiter: fc.constantFrom(undefined, '/'),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  )

  it('gives the same answers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const path = folder()
        const clock = new ManualClock(1_800_000_000_000)
        const real = await DirectoryBlobs.open(path, { clock, random: seededRandom(1) })
        const model = new MemoryBlobs({ clock, ids: systemIds(clock, seededRandom(2)) })
        const stores: BlobStore[] = []
        for (const buckets of [real, model]) {
          await buckets.createBucket('media')
          stores.push(buckets.bucket('media'))
        }
        for (const one of steps) {
          const [a, b] = await Promise.all(stores.map((store) => apply(store, one)))
          expect(a).toEqual(b)
        }
        const [a, b] = await Promise.all(stores.map(stateOf))
        expect(a).toEqual(b)
        await real.close()
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 40) },
    )
  })

  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
  async function apply(store: BlobStore, one: Step): Promise<unknown> {
    switch (one.op) {
      case 'put':
        return (await store.put(one.key, pattern(one.size), one.ifAbsent ? { ifAbsent: true } : {})).status
      case 'delete':
        return (await store.delete(one.key)).status
      case 'copy':
        return (await store.copy({ key: one.key }, one.to)).status
      case 'versioning':
        return store.setVersioning(one.to)
      case 'drop': {
        const { versions } = await store.listVersions()
        const chosen = versions[one.at]
        return chosen && (await store.delete(chosen.key, { versionId: chosen.versionId })).status
      }
      case 'list':
        return pagesOf(store, { limit: one.limit, ...(one.delimiter !== undefined && { delimiter: one.delimiter }) })
    }
  }

  async function pagesOf(store: BlobStore, options: Parameters<BlobStore['list']>[0]): Promise<unknown> {
    const pages: unknown[] = []
    let continuation: string | undefined
    do {
      const page = await store.list({ ...options, ...(continuation !== undefined && { continuation }) })
      pages.push([page.blobs, page.prefixes])
      continuation = page.continuation
    } while (continuation !== undefined)
    return pages
  }

  async function stateOf(store: BlobStore): Promise<unknown> {
    const { versions } = await store.listVersions()
    const contents = []
    for (const { key, versionId, isDeleteMarker, isLatest, sizeBytes, etag } of versions) {
      const got = await store.get(key, { versionId })
      const text = got.status === 'ok' ? (await blobText(got.body)).length : got.status
      contents.push([key, isDeleteMarker, isLatest, sizeBytes, etag, text, versionId === 'null'])
    }
    return contents
  }
})
