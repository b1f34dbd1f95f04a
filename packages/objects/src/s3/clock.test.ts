/** Clients whose clock is not that of the server. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { DirectoryBlobs, silentLogger, systemClock, systemIds, systemRandom } from 'siltstone/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AccessKeys } from './access-keys.ts'
import { type RunningS3Server, startS3Server } from './server.ts'

const MINUTE_MS = 60_000
const credentials = { accessKeyId: 'ADMINKEY', secretAccessKey: 'a secret for the tests' }
const Bucket = 'media'

let folder: string
let blobs: DirectoryBlobs
let server: RunningS3Server
/** What the server's clock is ahead of this process. */
let aheadMs = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'siltstone-clock-'))
  blobs = await DirectoryBlobs.open(folder, { clock: systemClock, random: systemRandom })
  await blobs.createBucket(Bucket)
  const clock = { ...systemClock, nowMs: () => Date.now() + aheadMs }
  const ids = systemIds(systemClock, systemRandom)
  const keys = new AccessKeys([credentials])
  server = await startS3Server({ buckets: blobs, keys, clock, ids, log: silentLogger, port: 0 })
})
afterAll(async () => {
  await server.close()
  await blobs.close()
  rmSync(folder, { recursive: true, force: true })
})

const client = (maxAttempts = 3) =>
  new S3Client({ endpoint: server.url, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts })

describe('a client with another clock', () => {
  it('is refused beyond 15 minutes, and told the time', async () => {
    for (const [minutes, code] of [
      [14, undefined],
      [16, 'RequestTimeTooSkewed'],
      [-16, 'RequestTimeTooSkewed'],
    ] as const) {
      aheadMs = minutes * MINUTE_MS
      const put = client(1).send(new PutObjectCommand({ Bucket, Key: `by ${minutes}`, Body: 'x' }))
      const failed = await put.then(
        () => undefined,
        (error: unknown) => error as Record<string, string>,
      )
      expect([minutes, failed?.['name']]).toEqual([minutes, code])
      if (failed === undefined) continue
      expect(failed).toMatchObject({ MaxAllowedSkewMilliseconds: '900000' })
      expect(Date.parse(failed['ServerTime'] ?? '') - Date.now()).toBeGreaterThan(aheadMs - MINUTE_MS)
    }
  })

  it('corrects it, if it is an SDK that does', async () => {
    aheadMs = 60 * MINUTE_MS
    const s3 = client()
    await s3.send(new PutObjectCommand({ Bucket, Key: 'corrected', Body: 'x' }))
    expect((await blobs.bucket(Bucket).head('corrected')).status).toBe('ok')
  })

  it('may presign up to 15 minutes ahead', async () => {
    aheadMs = 0
    await blobs.bucket(Bucket).put('read', new TextEncoder().encode('x'))
    const answer = async (aheadMinutes: number, expiresIn = 60) => {
      const signingDate = new Date(Date.now() + aheadMinutes * MINUTE_MS)
      const url = await getSignedUrl(client(), new GetObjectCommand({ Bucket, Key: 'read' }), {
        signingDate,
        expiresIn,
      })
      const got = await fetch(url)
      return `${got.status} ${await got.text()}`
    }
    expect(await answer(14)).toBe('200 x')
    expect(await answer(16)).toMatch(/^403 .*AccessDenied.*not yet valid.*<X-Amz-Date>.*<Expires>.*<ServerTime>/s)
    // What was signed long ago holds until it expires.
    expect(await answer(-60, 3_700)).toBe('200 x')
    expect(await answer(-60, 3_500)).toMatch(/^403 .*Request has expired/s)
  })
})
