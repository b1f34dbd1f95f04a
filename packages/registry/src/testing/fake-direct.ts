/** A bucket that takes uploads from clients by links, over a store in memory. */
import type { DirectUploads, ObjectStore } from 'siltstone/internal'
import { invalid } from 'siltstone/internal'

const ORIGIN = 'https://bucket.test/'

export interface FakeBucket {
  direct: DirectUploads
  /** What a client does with a link. @returns the status, and the ETag of a part */
  put(url: string, body: Uint8Array, headers?: Record<string, string>): Promise<{ status: number; etag: string }>
}

export function fakeBucket(store: ObjectStore): FakeBucket {
  const uploads = new Map<string, { key: string; parts: (Uint8Array | undefined)[] }>()
  let made = 0
  const link = (key: string, query: Record<string, string>) =>
    `${ORIGIN}${key}?${new URLSearchParams(query).toString()}`
  const direct: DirectUploads = {
    presignPut: async (key, { sizeBytes, crc64nvme = '' }) => ({
      url: link(key, { size: String(sizeBytes), crc: crc64nvme }),
      headers: { 'if-none-match': '*', 'x-amz-checksum-crc64nvme': crc64nvme },
    }),
    begin: async (key, { partSizesBytes }) => {
      const uploadId = `upload ${++made}`
      uploads.set(uploadId, { key, parts: partSizesBytes.map(() => undefined) })
      return {
        uploadId,
        urls: partSizesBytes.map((size, at) =>
          link(key, { size: String(size), upload: uploadId, part: String(at + 1) }),
        ),
      }
    },
    complete: async (key, uploadId, etags) => {
      const upload = uploads.get(uploadId)
      if (upload === undefined || upload.key !== key) return false
      const parts = etags.map((etag, at) => {
        const part = upload.parts[at]
        if (part === undefined || etagOf(part) !== etag) throw invalid('upload-part', 'a part is missing')
        return part
      })
      await store.put(key, Buffer.concat(parts))
      uploads.delete(uploadId)
      return true
    },
    copyIfAbsent: async (from, to) => {
      const got = await store.get(from)
      if (got.status !== 'ok') return 'not-found'
      const { status } = await store.put(to, got.body, { ifAbsent: true })
      return status === 'ok' ? 'ok' : 'exists'
    },
  }
  const put: FakeBucket['put'] = async (url, body, headers = {}) => {
    const { pathname, searchParams } = new URL(url)
    const key = pathname.slice(1)
    if (Number(searchParams.get('size')) !== body.length) return { status: 403, etag: '' }
    const uploadId = searchParams.get('upload')
    if (uploadId === null) {
      if (headers['if-none-match'] !== '*' || headers['x-amz-checksum-crc64nvme'] !== searchParams.get('crc'))
        return { status: 403, etag: '' }
      const { status } = await store.put(key, body, { ifAbsent: true })
      return { status: status === 'ok' ? 200 : 412, etag: '' }
    }
    const upload = uploads.get(uploadId)
    if (upload === undefined) return { status: 404, etag: '' }
    upload.parts[Number(searchParams.get('part')) - 1] = body
    return { status: 200, etag: etagOf(body) }
  }
  return { direct, put }
}

const etagOf = (body: Uint8Array) => `"${body.length}-${Buffer.from(body.subarray(0, 8)).toString('hex')}"`
