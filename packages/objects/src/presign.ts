/** What can be signed: never an upload without a limit of its size. */
import { invalid } from 'siltstone/internal'

interface Lasting {
  /** `post`: `${filename}` stands for the name of the file. */
  key: string
  /** 1 s to 7 days. */
  expiresInMs: number
}

export type PresignRequest =
  | (Lasting & {
      method: 'get'
      /** The name under which a browser saves the file: `attachment; filename="talk.mp4"`. */
      contentDisposition?: string
    })
  | (Lasting & {
      method: 'put'
      /** The exact number of bytes. */
      sizeBytes: number
      contentType?: string
      /** Base64. */
      sha256?: string
      metadata?: Readonly<Record<string, string>>
      ifAbsent?: true
    })
  | (Lasting & {
      method: 'post'
      /** Default 0. */
      minBytes?: number
      maxBytes: number
      contentType?: string
      /** Any type that begins so: `video/`. */
      contentTypePrefix?: string
      metadata?: Readonly<Record<string, string>>
    })

export type Presigned =
  /** `headers`: what the client must send exactly so. */
  | { method: 'GET' | 'PUT'; url: string; headers: Record<string, string> }
  /** A form: the fields, then the file in the field `file`. */
  | { method: 'POST'; url: string; fields: Record<string, string> }

const WEEK_MS = 7 * 24 * 3_600_000

/** @throws SiltstoneError `invalid` (bad-expiry, no-size) */
export function checkPresign(request: PresignRequest): void {
  const { expiresInMs, method } = request
  if (!(expiresInMs >= 1_000 && expiresInMs <= WEEK_MS))
    throw invalid('bad-expiry', `A signed URL lasts 1 second to 7 days, not ${expiresInMs} ms.`, {
      field: 'expiresInMs',
    })
  // Also for callers without types.
  const isSize = (bytes: number) => Number.isSafeInteger(bytes) && bytes >= 0
  if (method === 'put' && !isSize(request.sizeBytes))
    throw invalid(
      'no-size',
      `A signed PUT needs the exact number of bytes, not ${request.sizeBytes}; for "up to" sign a form (post).`,
      {
        field: 'sizeBytes',
      },
    )
  if (
    method === 'post' &&
    !(isSize(request.maxBytes) && isSize(request.minBytes ?? 0) && (request.minBytes ?? 0) <= request.maxBytes)
  )
    throw invalid('no-size', `A form needs a largest number of bytes, not ${request.maxBytes}.`, { field: 'maxBytes' })
}
