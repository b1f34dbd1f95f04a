import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLogger, noMetrics } from '../../ports/telemetry.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { S3ObjectStore } from './s3-object-store.ts'
import { parseS3Place } from './s3-place.ts'

const kept = { ...process.env }
let store: S3ObjectStore
beforeEach(() => {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE'
  process.env['AWS_SECRET_ACCESS_KEY'] = 'not a real secret'
  delete process.env['AWS_SESSION_TOKEN']
  const place = parseS3Place('s3://bucket/some%20prefix?region=eu-central-1', {})
  const ids = systemIds(systemClock, systemRandom)
  store = S3ObjectStore.open(place, {
    ids,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    metrics: noMetrics,
  })
})
afterEach(async () => {
  await store.close()
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    if (kept[name] === undefined) delete process.env[name]
    else process.env[name] = kept[name]
})
const minute = { expiresInMs: 60_000 }

it('signs size and type of an upload, and no checksum of an empty body', async () => {
  const url = new URL(
    await store.presign('a/b.mp4', { method: 'put', ...minute, sizeBytes: 1_000, contentType: 'video/mp4' }),
  )
  const names = [...url.searchParams.keys()].map((name) => name.toLowerCase())
  expect(names.filter((name) => name.includes('checksum'))).toEqual([])
  expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;content-type;host')
  expect(url.searchParams.get('X-Amz-Expires')).toBe('60')
  expect(url.pathname).toBe('/some%20prefix/a/b.mp4')
})

it('binds conditions, checksums and metadata', async () => {
  const sha256 = 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ='
  const put = { method: 'put', ...minute, sizeBytes: 5, sha256, metadata: { user: '17' }, ifAbsent: true } as const
  const url = new URL(await store.presign('a', put))
  expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;host;if-none-match;x-amz-checksum-sha256')
  expect(url.searchParams.get('x-amz-meta-user')).toBe('17')
  expect(url.searchParams.get('x-amz-checksum-sha256')).toBeNull()
})

it('never signs an upload without a limit, or for longer than a week', async () => {
  const put = (options: object) => store.presign('a', { method: 'put', ...minute, ...options } as never)
  await expect(put({})).rejects.toMatchObject({ code: 'no-size' })
  await expect(put({ sizeBytes: -1 })).rejects.toMatchObject({ code: 'no-size' })
  await expect(put({ sizeBytes: 1, expiresInMs: 8 * 24 * 3_600_000 })).rejects.toMatchObject({ code: 'bad-expiry' })
  const post = store.presignPost('a', { ...minute, minBytes: 1 } as never)
  await expect(post).rejects.toMatchObject({ code: 'no-size' })
})

it('signs a form for a range of sizes and a kind of content', async () => {
  const limits = { minBytes: 1, maxBytes: 1_000, contentTypePrefix: 'video/', metadata: { user: '17' } }
  const { url, fields } = await store.presignPost('up/${filename}', { ...minute, ...limits })
  expect(url).toBe('https://bucket.s3.eu-central-1.amazonaws.com/')
  expect(fields).toMatchObject({ key: 'some prefix/up/${filename}', 'x-amz-meta-user': '17' })
  const { conditions } = JSON.parse(Buffer.from(fields['policy'] ?? '', 'base64').toString()) as {
    conditions: unknown[]
  }
  expect(conditions).toContainEqual(['content-length-range', 1, 1_000])
  expect(conditions).toContainEqual(['starts-with', '$Content-Type', 'video/'])
  expect(conditions).toContainEqual(['eq', '$x-amz-meta-user', '17'])
  expect(conditions).toContainEqual({ bucket: 'bucket' })
  // S3 compares with the key after the name of the file is put into it.
  expect(conditions).toContainEqual(['starts-with', '$key', 'some prefix/up/'])
  expect(conditions.filter((one) => Array.isArray(one) && one[1] === '$key')).toHaveLength(1)
})

it('signs a download with the name to save', async () => {
  const url = new URL(
    await store.presign('a', { method: 'get', ...minute, contentDisposition: 'attachment; filename="a.txt"' }),
  )
  expect(url.searchParams.get('response-content-disposition')).toBe('attachment; filename="a.txt"')
})
