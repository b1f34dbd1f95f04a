import { createHash } from 'node:crypto'
import { answer, s3Error, type Step, type WireRequest, type WireResponse } from './middleware.ts'

interface Stored {
  body: Buffer
  etag: string
  token: string | undefined
}

const TOKEN = 'x-amz-meta-siltstone-put'

/** The part of S3 that conditional puts need, in memory, for tests of lost answers. */
export class MemoryS3 {
  readonly objects = new Map<string, Stored>()
  /** `PUT /bucket/key`, in order. */
  readonly requests: string[] = []

  readonly step: Step = async (_, request) => this.handle(request)

  /** Writes as another writer would. */
  write(path: string, text: string): void {
    this.#store(path, Buffer.from(text), 'of another writer')
  }

  handle({ method, path, headers, body = '' }: WireRequest): WireResponse {
    this.requests.push(`${method} ${path}`)
    const found = this.objects.get(path)
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    if (method === 'PUT') {
      if (lower['if-none-match'] === '*' && found) return s3Error(412, 'PreconditionFailed')
      if (lower['if-match'] !== undefined && !found) return s3Error(404, 'NoSuchKey')
      if (lower['if-match'] !== undefined && lower['if-match'] !== found?.etag)
        return s3Error(412, 'PreconditionFailed')
      return answer(200, { etag: this.#store(path, Buffer.from(body as Uint8Array), lower[TOKEN]) })
    }
    if (found === undefined) return method === 'HEAD' ? answer(404) : s3Error(404, 'NoSuchKey')
    const told: Record<string, string> = {
      etag: found.etag,
      'content-length': String(found.body.length),
      'last-modified': new Date(0).toUTCString(),
      ...(found.token !== undefined && { [TOKEN]: found.token }),
    }
    return answer(200, told, method === 'HEAD' ? '' : found.body)
  }

  #store(path: string, body: Buffer, token: string | undefined): string {
    const etag = `"${createHash('md5').update(body).digest('hex')}"`
    this.objects.set(path, { body, etag, token })
    return etag
  }
}
