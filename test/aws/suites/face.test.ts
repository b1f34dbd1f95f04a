/** The S3 driver of the blob port against the face: the contract holds through both. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeBlobStore } from 'siltstone/contracts'
import { DirectoryBlobs, silentLogger, systemClock, systemIds, systemRandom } from 'siltstone/internal'
import { openS3Blobs } from 'siltstone/internal/aws'
import { AccessKeys, type RunningS3Server, startS3Server } from '@siltstone/objects'
import { afterAll, beforeAll, expect, it } from 'vitest'

const KEY = { accessKeyId: 'ADMINKEY', secretAccessKey: 'a secret for the tests' }
const kept = { ...process.env }
let folder: string
let blobs: DirectoryBlobs
let server: RunningS3Server

beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = KEY.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = KEY.secretAccessKey
  folder = mkdtempSync(join(tmpdir(), 'siltstone-face-driver-'))
  const parts = { clock: systemClock, random: systemRandom }
  blobs = await DirectoryBlobs.open(folder, parts)
  const ids = systemIds(systemClock, systemRandom)
  server = await startS3Server({
    buckets: blobs,
    keys: new AccessKeys([KEY]),
    clock: systemClock,
    ids,
    log: silentLogger,
    port: 0,
  })
})
afterAll(async () => {
  await server.close()
  await blobs.close()
  rmSync(folder, { recursive: true, force: true })
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
    if (kept[name] === undefined) delete process.env[name]
    else process.env[name] = kept[name]
})

let made = 0
describeBlobStore('S3 driver on the S3 face', async () => {
  const name = `bucket-${++made}`
  await blobs.createBucket(name)
  const store = openS3Blobs(`s3://${name}`, { variables: { AWS_ENDPOINT_URL: server.url } })
  return { store, dispose: async () => {} }
})

it('stays below the prefix of its place', async () => {
  await blobs.createBucket('prefixed')
  const store = openS3Blobs('s3://prefixed/some%20prefix', { variables: { AWS_ENDPOINT_URL: server.url } })
  await store.put('a/b', new Uint8Array(3))
  await store.copy({ key: 'a/b' }, 'c')
  const { blobs: own, prefixes } = await store.list({ delimiter: '/' })
  expect([own.map(({ key }) => key), prefixes]).toEqual([['c'], ['a/']])
  expect((await store.listVersions()).versions.map(({ key }) => key)).toEqual(['a/b', 'c'])
  const { blobs: all } = await blobs.bucket('prefixed').list()
  expect(all.map(({ key }) => key)).toEqual(['some prefix/a/b', 'some prefix/c'])
})
