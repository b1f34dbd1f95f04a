import { createHash } from 'node:crypto'

const HEX_DIGITS = 32

/** The ETag of the memory and directory drivers: the first 128 bits of the content's SHA-256, in hexadecimal. */
export function contentEtag(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex').slice(0, HEX_DIGITS)
}

/** The same for content that arrives in parts. */
export class ContentEtag {
  readonly #hash = createHash('sha256')

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
  }

  /** Of what came so far, in hexadecimal. */
  sha256(): string {
    return this.#hash.copy().digest('hex')
  }

  digest(): string {
    return this.#hash.digest('hex').slice(0, HEX_DIGITS)
  }
}
