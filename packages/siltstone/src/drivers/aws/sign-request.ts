/** Signs HTTP requests for AWS services (Signature Version 4) with the credentials of this machine. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { S3Client } from '@aws-sdk/client-s3'
import { SignatureV4 } from '@smithy/signature-v4'
import { forbidden } from '../../errors.ts'

export interface RequestToSign {
  method: string
  url: URL
  /** Names in lower case. `host` is added. */
  headers: Readonly<Record<string, string>>
  body: Uint8Array
}

/** @returns the headers to send, including the signature */
export type SignRequest = (request: RequestToSign) => Promise<Record<string, string>>

class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', keyOf(secret))
  }

  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof chunk === 'string' ? chunk : keyOf(chunk))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): never {
    throw new Error('a hash that is used once')
  }
}

function keyOf(value: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof value === 'string') return value
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value)
}

/**
 * @param service `lambda` for function URLs
 * @throws SiltstoneError, when signing, `forbidden` (no-credentials)
 */
export function requestSigner(service: string, region: string): SignRequest {
  // The client of a service knows all sources of credentials: variables, profiles, roles, single sign-on.
  const { credentials } = new S3Client({ region }).config
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum: true })
  return async ({ method, url, headers, body }) => {
    const query: Record<string, string[]> = {}
    for (const [name, value] of url.searchParams) (query[name] ??= []).push(value)
    const request = {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port !== '' && { port: Number(url.port) }),
      path: url.pathname,
      query,
      headers: { ...headers, host: url.host },
      body,
    }
    try {
      return (await signer.sign(request)).headers
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw forbidden(
        'no-credentials',
        `No AWS credentials to sign with: ${reason}. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
        { cause },
      )
    }
  }
}
