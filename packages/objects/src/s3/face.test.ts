/** The face with the AWS SDK as a client, with its default settings. */
import { crc32 } from 'node:zlib'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash, createHmac } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  GetBucketAclCommand,
  GetObjectAclCommand,
  PutBucketAclCommand,
  PutObjectAclCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketCorsCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketCorsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { DirectoryBlobs, silentLogger, systemClock, systemIds, systemRandom } from 'siltstone/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AccessKeys } from './access-keys.ts'
import { type RunningS3Server, startS3Server } from './server.ts'

const MIB = 1024 * 1024
const ADMIN = { accessKeyId: 'ADMINKEY', secretAccessKey: 'a secret for the tests' }
const SCOPED = { accessKeyId: 'SCOPEDKEY', secretAccessKey: 'another secret for tests' }
const Bucket = 'media'

let folder: string
let blobs: DirectoryBlobs
let server: RunningS3Server
let s3: S3Client
const clientOf = (credentials: typeof ADMIN, endpoint = server.url) =>
  new S3Client({ endpoint, region: 'us-east-1', credentials })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'siltstone-face-'))
  const parts = { clock: systemClock, random: systemRandom }
  blobs = await DirectoryBlobs.open(folder, parts)
  const keys = new AccessKeys([
    ADMIN,
    { ...SCOPED, buckets: [Bucket], prefixes: ['uploads/'], verbs: ['read', 'list', 'write'] },
  ])
  const ids = systemIds(systemClock, systemRandom)
  server = await startS3Server({ buckets: blobs, keys, clock: systemClock, ids, log: silentLogger, port: 0 })
  s3 = clientOf(ADMIN)
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(async () => {
  s3.destroy()
  await server.close()
  await blobs.close()
  rmSync(folder, { recursive: true, force: true })
})

const put = (Key: string, Body: string | Uint8Array, more = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
const text = async (Key: string, more = {}) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body?.transformToString()
const failure = (code: string, status: number) => ({ name: code, $metadata: { httpStatusCode: status } })
const codeOf = async (answer: Response) => `${answer.status} ${/<Code>(\w+)/.exec(await answer.text())?.[1] ?? ''}`

describe('objects', () => {
  it('are put and read with everything that belongs to them', async () => {
    const done = await put('docs/a b+c.txt', 'hello', {
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      Metadata: { source: 'web' },
      Tagging: 'kind=talk&x=a%20b',
    })
    expect(done.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
    expect(done.ChecksumCRC32).toBe('NhCmhg==')
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'docs/a b+c.txt' }))
    expect(await got.Body?.transformToString()).toBe('hello')
    expect(got).toMatchObject({
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      Metadata: { source: 'web' },
      TagCount: 2,
    })
    expect(got.ChecksumCRC32).toBe('NhCmhg==')
    const tags = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'docs/a b+c.txt' }))
    expect(tags.TagSet).toEqual([
      { Key: 'kind', Value: 'talk' },
      { Key: 'x', Value: 'a b' },
    ])
  })

  it('of any key come back', async () => {
    for (const key of ['k/é 日本', 'k/a//b', 'k/..', 'k/%2F', 'k/q\'"<>&', 'k/tab\t', 'k/*()!~', 'k/\u{1f600}']) {
      await put(key, key)
      expect(await text(key)).toBe(key)
    }
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'k/', EncodingType: 'url' }))
    expect(Contents).toHaveLength(8)
    const missing = s3.send(new GetObjectCommand({ Bucket, Key: 'k/none' }))
    await expect(missing).rejects.toMatchObject(failure('NoSuchKey', 404))
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'k/none' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    })
  })

  it('are streamed, with each checksum', async () => {
    const body = Buffer.alloc(3 * MIB, 'streamed ')
    for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
      const { Readable } = await import('node:stream')
      const stream = Readable.from([body.subarray(0, 1_000_001), body.subarray(1_000_001)])
      const Key = `streamed/${ChecksumAlgorithm}`
      // A client without CRC64NVME of its own cannot send it; S3's CRT is not installed here.
      if (ChecksumAlgorithm === 'CRC64NVME') continue
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: stream, ContentLength: body.length, ChecksumAlgorithm }))
      const got = await s3.send(new GetObjectCommand({ Bucket, Key }))
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true)
    }
  })

  it('are read by range and under conditions', async () => {
    const { ETag } = await put('r', '0123456789')
    expect(await text('r', { Range: 'bytes=2-4' })).toBe('234')
    expect(await text('r', { Range: 'bytes=-3' })).toBe('789')
    const part = await s3.send(new GetObjectCommand({ Bucket, Key: 'r', Range: 'bytes=8-99' }))
    expect(part.ContentRange).toBe('bytes 8-9/10')
    await expect(text('r', { Range: 'bytes=10-' })).rejects.toMatchObject(failure('InvalidRange', 416))
    await expect(text('r', { IfNoneMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } })
    await expect(text('r', { IfMatch: '"x"' })).rejects.toMatchObject(failure('PreconditionFailed', 412))
  })

  it('are written under conditions', async () => {
    const { ETag } = await put('c', '1', { IfNoneMatch: '*' })
    await expect(put('c', '2', { IfNoneMatch: '*' })).rejects.toMatchObject(failure('PreconditionFailed', 412))
    await put('c', '3', { IfMatch: ETag })
    await expect(put('c', '4', { IfMatch: ETag })).rejects.toMatchObject(failure('PreconditionFailed', 412))
    await expect(put('c-none', '4', { IfMatch: ETag })).rejects.toMatchObject(failure('NoSuchKey', 404))
    await put('c', '5', { IfMatch: '*' })
    await expect(put('c-none', '5', { IfMatch: '*' })).rejects.toMatchObject(failure('NoSuchKey', 404))
    const remove = (more: object) => s3.send(new DeleteObjectCommand({ Bucket, Key: 'c', ...more }))
    await expect(remove({ IfMatch: ETag })).rejects.toMatchObject(failure('PreconditionFailed', 412))
    // Ignored, this condition would delete another object than the one that was meant.
    await expect(remove({ IfMatchSize: 7 })).rejects.toMatchObject(failure('NotImplemented', 501))
    await remove({ IfMatch: '*' })
    await expect(remove({ IfMatch: '*' })).rejects.toMatchObject(failure('PreconditionFailed', 412))
  })

  it('are refused with a wrong checksum, and nothing is stored', async () => {
    await expect(put('bad', 'x', { ChecksumCRC32: 'AAAAAA==' })).rejects.toMatchObject(failure('BadDigest', 400))
    await expect(put('bad', 'x', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' })).rejects.toMatchObject(
      failure('BadDigest', 400),
    )
    await expect(text('bad')).rejects.toMatchObject(failure('NoSuchKey', 404))
  })

  it('are copied, tagged and deleted', async () => {
    await put('from/ä b', 'copy me', { Metadata: { a: '1' }, ContentType: 'text/plain' })
    const CopySource = `${Bucket}/${encodeURIComponent('from/ä b')}`
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource }))
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'to' }))).toMatchObject({
      Metadata: { a: '1' },
      ContentType: 'text/plain',
    })
    await s3.send(
      new CopyObjectCommand({ Bucket, Key: 'to', CopySource, MetadataDirective: 'REPLACE', ContentType: 'text/html' }),
    )
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'to' }))).ContentType).toBe('text/html')
    await s3.send(
      new PutObjectTaggingCommand({ Bucket, Key: 'to', Tagging: { TagSet: [{ Key: 'n', Value: 'a b/ü' }] } }),
    )
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'to' }))
    expect(TagSet).toEqual([{ Key: 'n', Value: 'a b/ü' }])
    const none = s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/none` }))
    await expect(none).rejects.toMatchObject(failure('NoSuchKey', 404))
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'to' }))
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'to' }))
    await expect(text('to')).rejects.toMatchObject(failure('NoSuchKey', 404))
    const Objects = [{ Key: 'from/ä b' }, { Key: 'none' }]
    const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['from/ä b', 'none'])
  })

  it('with a key that XML cannot hold are deleted one by one, and listed with encoding-type=url', async () => {
    const Key = 'control/\u0001\ufffe'
    await put(Key, 'x')
    const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'control/', EncodingType: 'url' }))
    expect(listed.Contents?.map((one) => decodeURIComponent(one.Key ?? ''))).toEqual([Key])
    const Objects = [{ Key: 'other' }, { Key }]
    const refused = await s3
      .send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
      .catch((error: unknown) => error)
    expect(refused).toMatchObject(failure('MalformedXML', 400))
    expect(String(refused)).toContain('U+0001')
    expect(await text(Key)).toBe('x')
    await s3.send(new DeleteObjectCommand({ Bucket, Key }))
    await expect(text(Key)).rejects.toMatchObject(failure('NoSuchKey', 404))
  })
})

describe('uploads in parts', () => {
  it('are completed with a checksum of the parts', async () => {
    const Key = 'parts/v'
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32' }))
    const bodies = [Buffer.alloc(5 * MIB, 1), Buffer.from('rest')]
    const Parts: { PartNumber: number; ETag: string | undefined; ChecksumCRC32: string | undefined }[] = []
    for (const [at, Body] of bodies.entries()) {
      const PartNumber = at + 1
      const { ETag, ChecksumCRC32 } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
      Parts.push({ PartNumber, ETag, ChecksumCRC32 })
    }
    expect((await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))).Parts).toMatchObject(
      Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })),
    )
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'parts/' }))
    expect(Uploads?.[0]?.UploadId).toBe(UploadId)
    const joined = Buffer.concat(Parts.map((part) => Buffer.from(part.ChecksumCRC32 ?? '', 'base64')))
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32(joined))
    const complete = (ChecksumCRC32: string) =>
      s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, ChecksumCRC32, MultipartUpload: { Parts } }))
    await expect(complete('AAAAAA==-2')).rejects.toMatchObject(failure('BadDigest', 400))
    // The checksum is that of the object, not of the body that names the parts.
    const done = await complete(`${sum.toString('base64')}-2`)
    expect(done.ChecksumCRC32).toBe(`${sum.toString('base64')}-2`)
    const got = await s3.send(new GetObjectCommand({ Bucket, Key, Range: `bytes=${5 * MIB - 1}-` }))
    expect(await got.Body?.transformToString()).toBe('\u0001rest')
    const attributes = await s3.send(
      new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ObjectSize', 'ObjectParts', 'ETag'] }),
    )
    const listed = Parts.map(({ ChecksumCRC32, PartNumber }, at) => ({
      ChecksumCRC32,
      PartNumber,
      Size: at === 0 ? 5 * MIB : 4,
    }))
    expect(attributes).toMatchObject({
      ObjectSize: 5 * MIB + 4,
      ObjectParts: { TotalPartsCount: 2, IsTruncated: false, Parts: listed },
    })
    const part = (PartNumber: number) => s3.send(new GetObjectCommand({ Bucket, Key, PartNumber }))
    const second = await part(2)
    expect(second).toMatchObject({ ChecksumCRC32: Parts[1]?.ChecksumCRC32, ChecksumType: 'COMPOSITE' })
    expect(second).toMatchObject({ PartsCount: 2, ContentRange: `bytes ${5 * MIB}-${5 * MIB + 3}/${5 * MIB + 4}` })
    expect(await second.Body?.transformToString()).toBe('rest')
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key, PartNumber: 1 }))).toMatchObject({
      ContentLength: 5 * MIB,
    })
    await expect(part(3)).rejects.toMatchObject(failure('InvalidPartNumber', 416))
    await expect(part(0)).rejects.toMatchObject(failure('InvalidArgument', 400))
  })

  it('copy parts, are aborted, and refuse small parts', async () => {
    await put('parts/source', Buffer.alloc(6 * MIB, 7))
    const Key = 'parts/copied'
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const copy = (CopySourceRange: string) =>
      s3.send(
        new UploadPartCopyCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber: 1,
          CopySource: `${Bucket}/parts/source`,
          CopySourceRange,
        }),
      )
    await expect(copy(`bytes=0-${6 * MIB}`)).rejects.toMatchObject(failure('InvalidRange', 416))
    const copied = await copy('bytes=0-99')
    const last = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 2, Body: 'x' }))
    const Parts = [
      { PartNumber: 1, ETag: copied.CopyPartResult?.ETag },
      { PartNumber: 2, ETag: last.ETag },
    ]
    const complete = s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))
    await expect(complete).rejects.toMatchObject(failure('EntityTooSmall', 400))
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
    const parts = s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))
    await expect(parts).rejects.toMatchObject(failure('NoSuchUpload', 404))
  })
})

describe('buckets', () => {
  it('are listed page by page, in groups, in both versions', async () => {
    for (const key of ['l/a', 'l/b/1', 'l/b/2', 'l/c', 'l/d/1']) await put(key, 'x')
    const v2: (string | undefined)[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket, Prefix: 'l/', Delimiter: '/', MaxKeys: 1, ContinuationToken }),
      )
      v2.push(
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      )
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
    expect(v2).toEqual(['l/a', 'l/b/', 'l/c', 'l/d/'])
    const v1: (string | undefined)[] = []
    let Marker: string | undefined
    do {
      const page = await s3.send(new ListObjectsCommand({ Bucket, Prefix: 'l/', Delimiter: '/', MaxKeys: 1, Marker }))
      v1.push(
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      )
      Marker = page.NextMarker
    } while (Marker !== undefined)
    expect(v1).toEqual(v2)
  })

  it('are made, found and removed', async () => {
    const other = { Bucket: 'other-bucket' }
    await s3.send(new CreateBucketCommand(other))
    await s3.send(new CreateBucketCommand(other))
    const elsewhere = new S3Client({
      endpoint: server.url,
      region: 'eu-central-1',
      credentials: ADMIN,
      forcePathStyle: true,
    })
    const again = elsewhere.send(new CreateBucketCommand(other))
    await expect(again).rejects.toMatchObject(failure('BucketAlreadyOwnedByYou', 409))
    await s3.send(new HeadBucketCommand(other))
    await s3.send(new GetBucketLocationCommand(other))
    const { Buckets } = await s3.send(new ListBucketsCommand())
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['media', 'other-bucket'])
    const first = await s3.send(new ListBucketsCommand({ MaxBuckets: 1 }))
    expect([first.Buckets?.map(({ Name }) => Name), first.ContinuationToken]).toEqual([['media'], 'media'])
    const rest = await s3.send(new ListBucketsCommand({ MaxBuckets: 1, ContinuationToken: 'media' }))
    expect([rest.Buckets?.map(({ Name }) => Name), rest.ContinuationToken]).toEqual([['other-bucket'], undefined])
    await s3.send(new CreateMultipartUploadCommand({ ...other, Key: 'unfinished' }))
    await s3.send(new PutObjectCommand({ ...other, Key: 'x', Body: 'x' }))
    await expect(s3.send(new DeleteBucketCommand(other))).rejects.toMatchObject(failure('BucketNotEmpty', 409))
    await s3.send(new DeleteObjectCommand({ ...other, Key: 'x' }))
    await s3.send(new DeleteBucketCommand(other))
    await expect(s3.send(new ListObjectsV2Command(other))).rejects.toMatchObject(failure('NoSuchBucket', 404))
  })

  it('show lists of access control, which say that the owner may do everything', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'listed', Body: 'x' }))
    const all = [{ Grantee: expect.objectContaining({ ID: 'siltstone' }), Permission: 'FULL_CONTROL' }]
    const { Owner, Grants } = await s3.send(new GetBucketAclCommand({ Bucket }))
    expect(Grants).toEqual(all)
    expect((await s3.send(new GetObjectAclCommand({ Bucket, Key: 'listed' }))).Grants).toEqual(all)
    await s3.send(new PutObjectAclCommand({ Bucket, Key: 'listed', ACL: 'private' }))
    await s3.send(new PutObjectAclCommand({ Bucket, Key: 'listed', AccessControlPolicy: { Owner, Grants } }))
    const open = { AccessControlPolicy: { Owner, Grants: [{ ...Grants?.[0], Permission: 'READ' as const }] } }
    for (const refused of [{ ACL: 'public-read' as const }, open])
      await expect(s3.send(new PutBucketAclCommand({ Bucket, ...refused }))).rejects.toMatchObject(
        failure('NotImplemented', 501),
      )
    const missing = s3.send(new GetObjectAclCommand({ Bucket, Key: 'nothing' }))
    await expect(missing).rejects.toMatchObject(failure('NoSuchKey', 404))
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'listed' }))
  })

  it('keep versions', async () => {
    const versioned = { Bucket: 'versioned' }
    await s3.send(new CreateBucketCommand(versioned))
    await s3.send(new PutBucketVersioningCommand({ ...versioned, VersioningConfiguration: { Status: 'Enabled' } }))
    expect((await s3.send(new GetBucketVersioningCommand(versioned))).Status).toBe('Enabled')
    const one = await s3.send(new PutObjectCommand({ ...versioned, Key: 'k', Body: '1' }))
    await s3.send(new PutObjectCommand({ ...versioned, Key: 'k', Body: '2' }))
    const gone = await s3.send(new DeleteObjectCommand({ ...versioned, Key: 'k' }))
    expect(gone.DeleteMarker).toBe(true)
    const { Versions, DeleteMarkers } = await s3.send(new ListObjectVersionsCommand(versioned))
    expect(Versions).toHaveLength(2)
    expect(DeleteMarkers).toMatchObject([{ Key: 'k', IsLatest: true }])
    const got = await s3.send(new GetObjectCommand({ ...versioned, Key: 'k', VersionId: one.VersionId }))
    expect(await got.Body?.transformToString()).toBe('1')
    const marker = s3.send(new GetObjectCommand({ ...versioned, Key: 'k', VersionId: gone.VersionId }))
    await expect(marker).rejects.toMatchObject(failure('MethodNotAllowed', 405))
  })

  it('answer 501 in XML to what is not there', async () => {
    await expect(s3.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject(failure('NotImplemented', 501))
    await expect(put('acl', 'x', { ACL: 'public-read' })).rejects.toMatchObject(failure('NotImplemented', 501))
    await expect(put('sse', 'x', { ServerSideEncryption: 'aws:kms' })).rejects.toMatchObject(
      failure('NotImplemented', 501),
    )
  })

  it('are found by the name of the host', async () => {
    // Not every machine resolves names below localhost, so the host is given.
    const url = new URL(
      await getSignedUrl(
        clientOf(ADMIN, `http://localhost:${server.port}`),
        new GetObjectCommand({ Bucket, Key: 'r' }),
      ),
    )
    expect(url.hostname).toBe('media.localhost')
    const status = await new Promise((resolve, reject) => {
      httpRequest(
        { host: '127.0.0.1', port: server.port, path: url.pathname + url.search, headers: { host: url.host } },
        (answer) => {
          answer.resume()
          resolve(answer.statusCode)
        },
      )
        .on('error', reject)
        .end()
    })
    expect(status).toBe(200)
  })
})

describe('access', () => {
  it('needs a key that exists and a signature that fits', async () => {
    const wrong = clientOf({ ...ADMIN, secretAccessKey: 'wrong' })
    await expect(wrong.send(new ListBucketsCommand())).rejects.toMatchObject(failure('SignatureDoesNotMatch', 403))
    const unknown = clientOf({ ...ADMIN, accessKeyId: 'NOBODY' })
    await expect(unknown.send(new ListBucketsCommand())).rejects.toMatchObject(failure('InvalidAccessKeyId', 403))
    expect(await codeOf(await fetch(`${server.url}/${Bucket}/r`))).toBe('403 AccessDenied')
  })

  it('ends at the scope of a key', async () => {
    const scoped = clientOf(SCOPED)
    const send = (Key: string) => scoped.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
    await send('uploads/mine')
    const denied = failure('AccessDenied', 403)
    await expect(send('other/mine')).rejects.toMatchObject(denied)
    const copy = (CopySource: string) => scoped.send(new CopyObjectCommand({ Bucket, Key: 'uploads/copy', CopySource }))
    await expect(copy(`${Bucket}/r`)).rejects.toMatchObject(denied)
    await copy(`${Bucket}/uploads/mine`)
    await expect(scoped.send(new DeleteObjectCommand({ Bucket, Key: 'uploads/mine' }))).rejects.toMatchObject(denied)
    await expect(scoped.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject(denied)
    expect((await scoped.send(new ListObjectsV2Command({ Bucket, Prefix: 'uploads/' }))).KeyCount).toBe(2)
    const Delete = { Objects: [{ Key: 'uploads/mine' }] }
    const { Errors } = await scoped.send(new DeleteObjectsCommand({ Bucket, Delete }))
    expect(Errors).toMatchObject([{ Code: 'AccessDenied' }])
    await expect(scoped.send(new CreateBucketCommand({ Bucket: 'another' }))).rejects.toMatchObject(denied)
    expect((await scoped.send(new ListBucketsCommand())).Buckets?.map(({ Name }) => Name)).toEqual([Bucket])
  })

  it('is given by presigned URLs, which cannot be changed', async () => {
    const client = new S3Client({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: ADMIN,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    })
    const command = new PutObjectCommand({ Bucket, Key: 'signed', ContentLength: 5, ContentType: 'text/plain' })
    const url = await getSignedUrl(client, command, {
      expiresIn: 60,
      signableHeaders: new Set(['content-type', 'content-length', 'host']),
    })
    const send = (body: string, type = 'text/plain', to = url) =>
      fetch(to, { method: 'PUT', body, headers: { 'content-type': type } })
    expect((await send('hello')).status).toBe(200)
    expect(await codeOf(await send('hello!'))).toBe('403 SignatureDoesNotMatch')
    expect(await codeOf(await send('hello', 'text/html'))).toBe('403 SignatureDoesNotMatch')
    expect(await codeOf(await send('hello', 'text/plain', url.replace('/signed?', '/other?')))).toBe(
      '403 SignatureDoesNotMatch',
    )
    const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'signed' }), { expiresIn: 60 })
    expect(await (await fetch(get)).text()).toBe('hello')
    const old = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'signed' }), {
      expiresIn: 60,
      signingDate: new Date(systemClock.nowMs() - 120_000),
    })
    expect(await codeOf(await fetch(old))).toBe('403 AccessDenied')
  })
})

describe('browsers', () => {
  const origin = 'https://app.example'
  it('may do what the rules of the bucket allow', async () => {
    expect(
      await codeOf(
        await fetch(`${server.url}/${Bucket}/x`, {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'PUT' },
        }),
      ),
    ).toBe('403 AccessForbidden')
    const CORSRules = [
      {
        AllowedOrigins: [origin],
        AllowedMethods: ['PUT', 'GET'],
        AllowedHeaders: ['content-*'],
        ExposeHeaders: ['ETag'],
      },
    ]
    await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }))
    expect((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toMatchObject(CORSRules)
    const ask = (from: string, headers: string) =>
      fetch(`${server.url}/${Bucket}/x`, {
        method: 'OPTIONS',
        headers: { origin: from, 'access-control-request-method': 'PUT', 'access-control-request-headers': headers },
      })
    const yes = await ask(origin, 'content-type')
    expect([yes.status, yes.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    expect((await ask('https://evil.example', 'content-type')).headers.get('access-control-allow-origin')).toBeNull()
    expect((await ask(origin, 'x-other')).status).toBe(403)
    const got = await fetch(`${server.url}/${Bucket}/x`, { headers: { origin } })
    expect(got.headers.get('access-control-expose-headers')).toBe('ETag')
  })

  it('upload forms within the limits of their policy', async () => {
    const upload = async (size: number, change: Record<string, string> = {}) => {
      const now = new Date(systemClock.nowMs())
      const date = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
      const day = date.slice(0, 8)
      const fields: Record<string, string> = {
        key: 'form/${filename}',
        'Content-Type': 'video/mp4',
        'x-amz-meta-user': '17',
        'x-amz-algorithm': 'AWS4-HMAC-SHA256',
        'x-amz-credential': `${ADMIN.accessKeyId}/${day}/us-east-1/s3/aws4_request`,
        'x-amz-date': date,
      }
      const conditions = [
        { bucket: Bucket },
        ['starts-with', '$key', 'form/'],
        ['starts-with', '$Content-Type', 'video/'],
        ['content-length-range', 1, 100],
        ...Object.entries(fields)
          .filter(([name]) => name.startsWith('x-'))
          .map(([name, value]) => ({ [name]: value })),
      ]
      const expiration = new Date(now.getTime() + 60_000).toISOString()
      const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64')
      const mac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest()
      const key = mac(mac(mac(mac(`AWS4${ADMIN.secretAccessKey}`, day), 'us-east-1'), 's3'), 'aws4_request')
      const form = new FormData()
      const all = { ...fields, policy, 'x-amz-signature': mac(key, policy).toString('hex'), ...change }
      for (const [name, value] of Object.entries(all)) form.append(name, value)
      form.append('file', new Blob([Buffer.alloc(size, 'v')]), 'clip.mp4')
      return fetch(`${server.url}/${Bucket}`, { method: 'POST', body: form })
    }
    expect((await upload(100, { success_action_status: '201' })).status).toBe(403)
    expect((await upload(100)).status).toBe(204)
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'form/clip.mp4' }))
    expect(head).toMatchObject({ ContentLength: 100, ContentType: 'video/mp4', Metadata: { user: '17' } })
    expect(await codeOf(await upload(101))).toBe('400 EntityTooLarge')
    // The rest of a large body must not keep the answer from its client.
    expect(await codeOf(await upload(3 * MIB))).toBe('400 EntityTooLarge')
    expect(await codeOf(await upload(0))).toBe('400 EntityTooSmall')
    expect(await codeOf(await upload(5, { 'Content-Type': 'text/html' }))).toBe('403 AccessDenied')
    expect(await codeOf(await upload(5, { key: 'other/x' }))).toBe('403 AccessDenied')
    // What the variable stands for is checked, not the variable.
    expect(await codeOf(await upload(5, { key: '${filename}' }))).toBe('403 AccessDenied')
    expect(await codeOf(await upload(5, { policy: 'e30=' }))).toBe('403 SignatureDoesNotMatch')
    const sum = createHash('sha256').update(Buffer.alloc(100, 'v')).digest('base64')
    expect((await upload(100, { 'x-amz-checksum-sha256': sum })).headers.get('x-amz-checksum-sha256')).toBe(sum)
    expect(await codeOf(await upload(99, { 'x-amz-checksum-sha256': sum }))).toBe('400 BadDigest')
    expect(createHash('md5').update(Buffer.alloc(100, 'v')).digest('hex')).toBe(head.ETag?.replaceAll('"', ''))
  })
})
