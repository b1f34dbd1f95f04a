import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectoryBlobs, silentLogger, systemClock, systemIds, systemRandom } from 'siltstone/internal'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { contentTypeOf } from './content-type.ts'
import type { Objects } from './objects.ts'
import { openObjects } from './open-objects.ts'
import { AccessKeys } from './s3/access-keys.ts'
import { type RunningS3Server, startS3Server } from './s3/server.ts'
import { S3Service, s3ServiceSettings } from './s3-service.ts'

const KEY = { accessKeyId: 'TESTKEY1', secretAccessKey: 'a secret for the tests' }
const keys = JSON.stringify([KEY])
const bytes = (text: string) => new TextEncoder().encode(text)
const minute = { expiresInMs: 60_000 }

let folder: string
let data: string
let blobs: DirectoryBlobs
let server: RunningS3Server
let objects: Objects

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'siltstone-objects-'))
  data = join(folder, 'data')
  const parts = { clock: systemClock, random: systemRandom }
  blobs = await DirectoryBlobs.open(data, parts)
  const ids = systemIds(systemClock, systemRandom)
  server = await startS3Server({
    buckets: blobs,
    keys: new AccessKeys([KEY]),
    clock: systemClock,
    ids,
    log: silentLogger,
    port: 0,
  })
  objects = await openObjects(data, { bucket: 'media', url: server.url, keys })
})
afterAll(async () => {
  await objects.close()
  await server.close()
  await blobs.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('objects as a library', () => {
  it('are put from bytes, streams and files, with a type from their content', async () => {
    const file = join(folder, 'page.HTML')
    writeFileSync(file, '<p>hello</p>')
    const put = await objects.put('p/page.HTML', { file }, { metadata: { a: '1' }, tags: { kind: 'page' } })
    expect(put).toMatchObject({
      key: 'p/page.HTML',
      sizeBytes: 12,
      head: { contentType: 'text/html', metadata: { a: '1' } },
    })
    const pdf = await objects.put('p/unnamed', bytes('%PDF-1.7 …'))
    expect(pdf.head.contentType).toBe('application/pdf')
    async function* stream() {
      yield bytes('one ')
      yield bytes('two')
    }
    await objects.put('p/stream.txt', stream())
    const got = await objects.get('p/stream.txt', { range: { offset: 4 } })
    expect([got.start, got.end, await got.text()]).toEqual([4, 7, 'two'])
    expect(await objects.tags('p/page.HTML')).toEqual({ kind: 'page' })
    await expect(objects.put('x', { file: join(folder, 'none') })).rejects.toMatchObject({ code: 'file-missing' })
  })

  it('are listed completely', async () => {
    for (let at = 0; at < 12; at++) await objects.put(`l/${String(at).padStart(2, '0')}`, bytes('x'))
    const found: string[] = []
    for await (const { key } of objects.list('l/')) found.push(key)
    expect(found).toHaveLength(12)
    expect((await objects.page({ delimiter: '/', prefix: 'l' })).prefixes).toEqual(['l/'])
  })

  it('are copied, moved and deleted', async () => {
    await objects.put('m/a', bytes('moved'), { contentType: 'text/plain' })
    await objects.copy('m/a', 'm/b')
    await expect(objects.copy('m/a', 'm/b', { ifAbsent: true })).rejects.toMatchObject({ code: 'object-exists' })
    await objects.move('m/a', 'm/c')
    expect([await objects.exists('m/a'), await objects.exists('m/c')]).toEqual([false, true])
    await expect(objects.move('m/a', 'm/d')).rejects.toMatchObject({ code: 'no-such-object' })
    await objects.delete(['m/b', 'm/c', 'm/none'])
    await expect(objects.get('m/c')).rejects.toMatchObject({ kind: 'not-found', code: 'no-such-object' })
    expect(await objects.head('m/c')).toBeUndefined()
  })

  it('are signed with a limit, and the limit holds', async () => {
    const put = await objects.presign({
      method: 'put',
      key: 's/ü b',
      ...minute,
      sizeBytes: 5,
      contentType: 'text/plain',
      metadata: { user: '17' },
    })
    if (put.method !== 'PUT') throw new Error(put.method)
    const send = (body: string, type = 'text/plain') =>
      fetch(put.url, { method: 'PUT', body, headers: { 'content-type': type } })
    expect([
      (await send('hello')).status,
      (await send('hello!')).status,
      (await send('hello', 'text/html')).status,
    ]).toEqual([200, 403, 403])
    expect((await objects.head('s/ü b'))?.head.metadata).toEqual({ user: '17' })
    const get = await objects.presign({ method: 'get', key: 's/ü b', ...minute, contentDisposition: 'attachment' })
    const answer = await fetch(get.url)
    expect([await answer.text(), answer.headers.get('content-disposition')]).toEqual(['hello', 'attachment'])
    const post = await objects.presign({
      method: 'post',
      key: 's/${filename}',
      ...minute,
      maxBytes: 5,
      contentTypePrefix: 'video/',
    })
    if (post.method !== 'POST') throw new Error(post.method)
    const form = (size: number, type: string) => {
      const data = new FormData()
      for (const [name, value] of Object.entries({ ...post.fields, 'Content-Type': type })) data.append(name, value)
      data.append('file', new Blob([new Uint8Array(size)]), 'clip.mp4')
      return fetch(post.url, { method: 'POST', body: data })
    }
    expect([
      (await form(5, 'video/mp4')).status,
      (await form(6, 'video/mp4')).status,
      (await form(5, 'text/html')).status,
    ]).toEqual([204, 400, 403])
    expect(await objects.exists('s/clip.mp4')).toBe(true)
    await expect(objects.presign({ method: 'put', key: 'k', ...minute } as never)).rejects.toMatchObject({
      code: 'no-size',
    })
    await expect(objects.presign({ method: 'post', key: 'k', ...minute } as never)).rejects.toMatchObject({
      code: 'no-size',
    })
  })

  it('knows types by content first', () => {
    expect(contentTypeOf('a.txt', Buffer.from('\u0000\u0000\u0000 ftypisom', 'latin1'))).toBe('video/mp4')
    expect(contentTypeOf('a.MKV', new Uint8Array(0))).toBe('video/x-matroska')
    expect(contentTypeOf('a.docx', Buffer.from('PK\u0003\u0004'))).toMatch(/wordprocessingml/)
    expect(contentTypeOf('nothing', new Uint8Array(9))).toBe('application/octet-stream')
  })

  it('names the file that it cannot write, or read', async () => {
    await objects.put('d', bytes('data'))
    const occupied = join(folder, 'a-file')
    writeFileSync(occupied, '')
    const inTheWay = join(occupied, 'below')
    const named = { kind: 'invalid', code: 'key-conflict', message: expect.stringContaining(inTheWay) as string }
    await expect(objects.download('d', inTheWay)).rejects.toMatchObject(named)
    const missing = { kind: 'not-found', code: 'file-missing' }
    await expect(objects.put('e', { file: join(folder, 'nothing') })).rejects.toMatchObject(missing)
  })
})

describe('S3Service', () => {
  const settings = { awsS3BucketName: 'service', awsRegion: 'us-east-1' }
  const variables = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL']
  const kept = Object.fromEntries(variables.map((name) => [name, process.env[name]]))
  let service: S3Service
  beforeAll(async () => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
      AWS_ENDPOINT_URL: server.url,
    })
    await blobs.createBucket('service')
    service = new S3Service(settings)
  })
  afterAll(async () => {
    await service.close()
    for (const [name, value] of Object.entries(kept))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  })
  let file: string
  beforeEach(() => {
    file = join(folder, 'video.mp4')
    writeFileSync(file, 'not really a video')
  })

  it('takes its settings from the environment', () => {
    const found = s3ServiceSettings({
      AWS_S3_BUCKET_NAME: 'b',
      AWS_REGION: 'r',
      AWS_SQS_QUEUE_URL: 'q',
      AWS_PROFILE: 'p',
    })
    expect(found).toEqual({ awsS3BucketName: 'b', awsRegion: 'r', awsSqsQueueUrl: 'q', awsProfile: 'p' })
    expect(service.settings).toEqual(settings)
  })

  it('refuses to be without a bucket', () => {
    expect(() => s3ServiceSettings({})).toThrow('AWS_S3_BUCKET_NAME')
    expect(() => new S3Service({ awsS3BucketName: '' })).toThrow('AWS_S3_BUCKET_NAME')
  })

  it('uploads a file with metadata', async () => {
    const key = 'uploads/video_2026-01-20.mp4'
    const result = await service.uploadFile(file, key, { metadata: { source: 'web_upload' } })
    const etag = expect.stringMatching(/^".+"$/) as string
    expect(result).toEqual({ success: true, s3Path: `s3://service/${key}`, bucket: 'service', key, fileSize: 18, etag })
  })

  it('reports a file that is not there, and an upload that fails', async () => {
    expect(await service.uploadFile(join(folder, 'none'), 'k')).toMatchObject({
      success: false,
      fileSize: 0,
      error: expect.stringContaining('no such file') as string,
    })
    const other = new S3Service({ awsS3BucketName: 'not-there' })
    expect(await other.uploadFile(file, 'k')).toMatchObject({
      success: false,
      error: expect.stringContaining('bucket') as string,
    })
    await other.close()
  })

  it('downloads, and makes the folders', async () => {
    await service.uploadFile(file, 'd')
    const to = join(folder, 'new/folder/d.mp4')
    expect(await service.downloadFile('d', to)).toBe(true)
    expect(readFileSync(to, 'utf8')).toBe('not really a video')
    expect(await service.downloadFile('none', join(folder, 'n'))).toBe(false)
  })

  it('signs URLs to get and to put', async () => {
    await service.uploadFile(file, 'signed')
    expect(await (await fetch(await service.generatePresignedUrl('signed'))).text()).toBe('not really a video')
    const url = await service.generatePresignedUrl('put', { method: 'PUT', sizeBytes: 2, expiresInS: 60 })
    const put = (body: string) => fetch(url, { method: 'PUT', body })
    expect([(await put('ok')).status, (await put('too long')).status]).toEqual([200, 403])
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60')
  })

  it('deletes, finds, describes and lists', async () => {
    await service.uploadFile(file, 'one/a', { contentType: 'video/mp4', metadata: { a: 'b' } })
    await service.uploadFile(file, 'one/b')
    expect(await service.fileExists('one/a')).toBe(true)
    expect(await service.fileExists('one/none')).toBe(false)
    expect(await service.getFileMetadata('one/a')).toMatchObject({
      size: 18,
      contentType: 'video/mp4',
      metadata: { a: 'b' },
    })
    expect(await service.getFileMetadata('none')).toBeUndefined()
    expect(await service.listFiles('one/')).toEqual(['one/a', 'one/b'])
    expect(await service.deleteFile('one/a')).toBe(true)
    expect(await service.listFiles('one/')).toEqual(['one/b'])
  })
})
