import { describe, expect } from 'vitest'
import { blobOf, type BlobTests, streamOf } from './blob-store-testing.contract.ts'
import { MIN_PART_BYTES } from './blob-rules.ts'
import { blobText, bytes, pattern } from './store-testing.contract.ts'

const BIG = pattern(MIN_PART_BYTES)

export function testBlobUploads({ test, store }: BlobTests): void {
  describe('uploads in parts', () => {
    test('are invisible until they are completed, and resume by their list', async () => {
      const head = { contentType: 'video/mp4', metadata: { a: 'b' } }
      const { uploadId } = await store().createUpload('v.mp4', { head, tags: { t: '1' } })
      const second = await store().putPart('v.mp4', uploadId, 2, bytes('the end'))
      await store().putPart('v.mp4', uploadId, 1, bytes('replaced'))
      const first = await store().putPart('v.mp4', uploadId, 1, streamOf(BIG.subarray(0, 99), BIG.subarray(99)))
      expect(await store().head('v.mp4')).toEqual({ status: 'not-found' })
      const { parts } = await store().listParts('v.mp4', uploadId)
      expect(parts.map(({ partNumber, sizeBytes, etag }) => [partNumber, sizeBytes, etag])).toEqual([
        [1, BIG.length, first.etag],
        [2, 7, second.etag],
      ])
      const done = await store().completeUpload('v.mp4', uploadId, parts)
      const { etag } = blobOf(done)
      expect(etag).toMatch(/-2"$/)
      const got = await store().head('v.mp4')
      expect(got).toMatchObject({ blob: { head, sizeBytes: BIG.length + 7, etag } })
      expect(await store().tags('v.mp4')).toEqual({ t: '1' })
      const part = await store().get('v.mp4', { range: { offset: BIG.length - 2, length: 5 } })
      if (part.status !== 'ok') throw new Error(part.status)
      expect(await blobText(part.body)).toBe(`${Buffer.from(BIG.subarray(-2)).toString('latin1')}the`)
    })

    test('take only the chosen parts', async () => {
      const { uploadId } = await store().createUpload('few')
      await store().putPart('few', uploadId, 3, bytes('not this'))
      const five = await store().putPart('few', uploadId, 5, bytes('this'))
      await store().completeUpload('few', uploadId, [five])
      const got = await store().get('few')
      expect(got.status === 'ok' && (await blobText(got.body))).toBe('this')
    })

    test('stay readable one by one', async () => {
      const checksum = { algorithm: 'SHA256' as const }
      const { uploadId } = await store().createUpload('parts', { checksum })
      const three = await store().putPart('parts', uploadId, 3, BIG, { checksum })
      const seven = await store().putPart('parts', uploadId, 7, bytes('the end'), { checksum })
      await store().completeUpload('parts', uploadId, [three, seven])
      const read = async (key: string, partNumber: number) => {
        const got = await store().get(key, { partNumber })
        return got.status === 'ok' ? [got.start, got.end, (await blobText(got.body)).slice(-7)] : got.status
      }
      expect(await read('parts', 3)).toEqual([0, BIG.length, Buffer.from(BIG.subarray(-7)).toString('latin1')])
      expect(await read('parts', 7)).toEqual([BIG.length, BIG.length + 7, 'the end'])
      expect([await read('parts', 1), await read('parts', 8)]).toEqual(['bad-range', 'bad-range'])
      await store().put('whole', bytes('the end'))
      expect([await read('whole', 1), await read('whole', 2)]).toEqual([[0, 7, 'the end'], 'bad-range'])
      expect(await read('none', 1)).toBe('not-found')
    })

    test('are listed with their sizes and checksums', async () => {
      const checksum = { algorithm: 'SHA256' as const }
      const { uploadId } = await store().createUpload('parts', { checksum })
      const put = (partNumber: number) => store().putPart('parts', uploadId, partNumber, BIG, { checksum })
      const sent = [await put(1), await put(2)]
      await store().completeUpload('parts', uploadId, sent)
      const listed = sent.map(({ partNumber, sizeBytes, checksum: sum }) => ({ partNumber, sizeBytes, checksum: sum }))
      expect(await store().parts('parts')).toEqual({ parts: listed })
      expect(await store().parts('parts', { limit: 1 })).toEqual({ parts: listed.slice(0, 1), next: 1 })
      expect(await store().parts('parts', { after: 1 })).toEqual({ parts: listed.slice(1) })
      await store().put('whole', bytes('the end'))
      expect(await store().parts('whole')).toEqual({ parts: [] })
      await expect(store().parts('none')).rejects.toMatchObject({ code: 'no-such-blob' })
    })

    test('are refused with a missing, small, wrong or unordered part', async () => {
      const { uploadId } = await store().createUpload('k')
      const one = await store().putPart('k', uploadId, 1, bytes('small'))
      const two = await store().putPart('k', uploadId, 2, bytes('also small'))
      const complete = (parts: Parameters<ReturnType<typeof store>['completeUpload']>[2]) =>
        store().completeUpload('k', uploadId, parts)
      await expect(complete([one, two])).rejects.toMatchObject({ code: 'part-too-small' })
      await expect(complete([two, one])).rejects.toMatchObject({ code: 'bad-part-order' })
      await expect(complete([{ partNumber: 3, etag: one.etag }])).rejects.toMatchObject({ code: 'bad-part' })
      await expect(complete([{ ...one, etag: two.etag }])).rejects.toMatchObject({ code: 'bad-part' })
      await complete([two])
      expect(await store().head('k')).toMatchObject({ status: 'ok' })
    })

    test('are completed under conditions', async () => {
      const { etag } = blobOf(await store().put('c', bytes('old')))
      const upload = async () => {
        const { uploadId } = await store().createUpload('c')
        return { uploadId, part: await store().putPart('c', uploadId, 1, bytes('new')) }
      }
      const one = await upload()
      expect(await store().completeUpload('c', one.uploadId, [one.part], { ifAbsent: true })).toEqual({
        status: 'exists',
      })
      expect(await store().completeUpload('c', one.uploadId, [one.part], { ifMatch: '"0"' })).toEqual({
        status: 'mismatch',
      })
      const done = await store().completeUpload('c', one.uploadId, [one.part], { ifMatch: etag })
      expect(done.status).toBe('ok')
    })

    test('are gone when they are aborted', async () => {
      const { uploadId } = await store().createUpload('gone')
      const part = await store().putPart('gone', uploadId, 1, bytes('x'))
      await store().abortUpload('gone', uploadId)
      await expect(store().listParts('gone', uploadId)).rejects.toMatchObject({ code: 'no-such-upload' })
      await expect(store().completeUpload('gone', uploadId, [part])).rejects.toMatchObject({ code: 'no-such-upload' })
      await expect(store().putPart('gone', uploadId, 2, bytes('x'))).rejects.toMatchObject({ code: 'no-such-upload' })
      expect(await store().head('gone')).toEqual({ status: 'not-found' })
    })

    test('are listed', async () => {
      const made = []
      for (const key of ['u/a', 'u/b', 'other']) made.push(await store().createUpload(key))
      const { uploads } = await store().listUploads({ prefix: 'u/' })
      expect(uploads.map(({ key, uploadId }) => [key, uploadId])).toEqual(
        made.slice(0, 2).map((one) => [one.key, one.uploadId]),
      )
      for (const { key, uploadId } of made) await store().abortUpload(key, uploadId)
      expect((await store().listUploads()).uploads).toEqual([])
    })

    test('copy ranges of objects as parts', async () => {
      await store().put('source', pattern(MIN_PART_BYTES + 1_000))
      const { uploadId } = await store().createUpload('target')
      const copy = (partNumber: number, offset: number, length: number) =>
        store().copyPart('target', uploadId, partNumber, { key: 'source', range: { offset, length } })
      const one = await copy(1, 0, MIN_PART_BYTES)
      const two = await copy(2, MIN_PART_BYTES, 1_000)
      if (one.status !== 'ok' || two.status !== 'ok') throw new Error('not copied')
      await store().completeUpload('target', uploadId, [one.part, two.part])
      const got = await store().get('target', { range: { lastBytes: 1_001 } })
      if (got.status !== 'ok') throw new Error(got.status)
      const want = Buffer.from(pattern(MIN_PART_BYTES + 1_000).subarray(-1_001)).toString('latin1')
      expect(await blobText(got.body)).toBe(want)
    })
  })

  describe('checksums of uploads in parts', () => {
    for (const [algorithm, type] of [
      ['CRC32', 'COMPOSITE'],
      ['CRC64NVME', 'FULL_OBJECT'],
      ['SHA256', 'COMPOSITE'],
    ] as const)
      test(`are ${type} of ${algorithm}`, async () => {
        const { uploadId } = await store().createUpload('s', { checksum: { algorithm, type } })
        const parts = []
        for (const [at, body] of [BIG, bytes('rest')].entries()) {
          const part = await store().putPart('s', uploadId, at + 1, body, { checksum: { algorithm } })
          expect(part.checksum?.algorithm).toBe(algorithm)
          parts.push(part)
        }
        const done = await store().completeUpload('s', uploadId, parts)
        expect(done.status).toBe('ok')
        const head = await store().head('s')
        if (head.status !== 'ok') throw new Error(head.status)
        expect(head.blob.checksum).toMatchObject({ algorithm, type })
        expect(head.blob.checksum?.value).toMatch(type === 'COMPOSITE' ? /-2$/ : /=$/)
      })
  })
}
