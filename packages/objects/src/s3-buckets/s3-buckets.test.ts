import { isSiltstoneError, MemoryBlobs } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { S3Buckets } from './s3-buckets.ts'

/** An account of S3, and two servers over one store. */
let account: MemoryBlobs
let environment: ReturnType<typeof memoryEnvironment>

beforeEach(async () => {
  environment = memoryEnvironment()
  account = new MemoryBlobs(environment)
  for (const name of ['records', 'uploads', 'somebodys']) await account.createBucket(name)
})

const server = (own: string[] = ['uploads']): S3Buckets =>
  new S3Buckets({
    ...environment,
    storeBucket: 'records',
    own,
    open: async (bucket) => Object.assign(account.bucket(bucket), { close: () => {} }),
    make: (bucket) => account.createBucket(bucket),
    remove: (bucket) => account.deleteBucket(bucket),
  })
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: unknown) => (isSiltstoneError(error) ? error.code : error),
  )
const names = async (buckets: S3Buckets) => (await buckets.listBuckets()).map(({ name }) => name)

describe('buckets of S3', () => {
  it('are those that were named and those that were made, for every server of the store', async () => {
    const [one, other] = [server(), server([])]
    expect([await names(one), await names(other)]).toEqual([['uploads'], []])
    expect([await one.createBucket('media'), await one.createBucket('media')]).toEqual([true, false])
    expect(await other.hasBucket('media')).toBe(true)
    expect(await names(server())).toEqual(['media', 'uploads'])
    expect(await account.hasBucket('media')).toBe(true)
  })

  it('are no others, whatever the credentials reach', async () => {
    const buckets = server()
    expect(await codeOf(buckets.createBucket('somebodys'))).toBe('bucket-exists')
    expect(await codeOf(buckets.createBucket('records'))).toBe('bucket-of-store')
    expect(() => server(['records'])).toThrow('has the store')
    for (const name of ['somebodys', 'records']) {
      const blobs = buckets.bucket(name)
      const calls = [
        blobs.put('a', new Uint8Array(1)),
        blobs.get('a'),
        blobs.head('a'),
        blobs.list(),
        blobs.listVersions(),
        blobs.delete('a'),
        blobs.tags('a'),
        blobs.setTags('a', {}),
        blobs.createUpload('a'),
        blobs.listUploads(),
        blobs.versioning(),
        blobs.setVersioning('enabled'),
        buckets.bucket('uploads').copy({ bucket: name, key: 'a' }, 'b'),
        buckets.bucket('uploads').copyPart('b', 'upload', 1, { bucket: name, key: 'a' }),
        buckets.setting(name, 'cors'),
        buckets.setSetting(name, 'cors', '[]'),
        buckets.deleteBucket(name),
      ]
      expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => 'no-such-bucket'))
    }
  })

  it('are deleted only empty, and only where they were made', async () => {
    const buckets = server()
    await buckets.createBucket('media')
    await buckets.bucket('media').put('a', new Uint8Array(1))
    expect(await codeOf(buckets.deleteBucket('media'))).toBe('bucket-not-empty')
    await buckets.bucket('media').delete('a')
    await buckets.bucket('media').createUpload('left')
    await buckets.deleteBucket('media')
    expect([await account.hasBucket('media'), await buckets.hasBucket('media')]).toEqual([false, false])
    expect(await codeOf(buckets.bucket('media').list())).toBe('no-such-bucket')
    expect(await codeOf(buckets.deleteBucket('uploads'))).toBe('bucket-configured')
    // Its records are still to be removed; those of others are not.
    expect([await buckets.owns('media'), await buckets.owns('uploads'), await buckets.owns('somebodys')]).toEqual([
      true,
      true,
      false,
    ])
    expect(await buckets.createBucket('media')).toBe(true)
  })

  it('keep their settings, whoever changes others at the same time', async () => {
    const [one, other] = [server(), server()]
    await Promise.all([
      one.setSetting('uploads', 'cors', '[1]'),
      other.createBucket('media'),
      other.setSetting('uploads', 'lifecycle', '[2]'),
    ])
    const later = server()
    expect([await later.setting('uploads', 'cors'), await later.setting('uploads', 'lifecycle')]).toEqual([
      '[1]',
      '[2]',
    ])
    await later.setSetting('uploads', 'cors', undefined)
    expect(await later.setting('uploads', 'cors')).toBeUndefined()
    expect(await names(later)).toEqual(['media', 'uploads'])
  })

  it('say so when their list is damaged', async () => {
    await server().createBucket('media')
    await environment.store.put('objects/.buckets.json', Buffer.from('{"crc32":"00000000","body":{}}'))
    expect(await codeOf(server().listBuckets())).toBe('catalog-damaged')
  })
})
