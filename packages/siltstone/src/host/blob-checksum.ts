/** Checksums of S3 over streams, and of objects in parts. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { invalid } from '../errors.ts'
import type { BlobBody, ChecksumAlgorithm, ChecksumType, ExpectedBytes } from '../ports/blob-store.ts'
import { combineCrc, CRC32, CRC32C, crc32c, CRC64NVME, Crc64Nvme } from './crc.ts'

interface Digest {
  update(bytes: Uint8Array): void
  digest(): Uint8Array
}

const crcDigest = (next: (bytes: Uint8Array, before: number) => number): Digest => {
  let value = 0
  return {
    update: (bytes) => {
      value = next(bytes, value)
    },
    digest: () => {
      const out = new Uint8Array(4)
      new DataView(out.buffer).setUint32(0, value)
      return out
    },
  }
}

function digestOf(algorithm: ChecksumAlgorithm): Digest {
  switch (algorithm) {
    case 'CRC64NVME':
      return new Crc64Nvme()
    case 'CRC32':
      return crcDigest((bytes, before) => crc32(bytes, before))
    case 'CRC32C':
      return crcDigest(crc32c)
    case 'SHA1':
    case 'SHA256': {
      const hash = createHash(algorithm.toLowerCase())
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
    }
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  const digest = digestOf(algorithm)
  digest.update(bytes)
  return base64(digest.digest())
}

export interface ReceivedBytes {
  sizeBytes: number
  /** Hexadecimal. */
  md5: string
  checksum?: { algorithm: ChecksumAlgorithm; value: string }
}

export interface BodyHashes {
  md5: Uint8Array
  /** In the algorithm that was asked for. */
  checksum?: Uint8Array
}

/** The MD5 of a body, and its checksum in one more algorithm. */
export class BodyHash {
  readonly #md5 = createHash('md5')
  readonly #digest: Digest | undefined

  constructor(algorithm: ChecksumAlgorithm | undefined) {
    this.#digest = algorithm && digestOf(algorithm)
  }

  update(bytes: Uint8Array): void {
    this.#md5.update(bytes)
    this.#digest?.update(bytes)
  }

  /** Called once. */
  digest(): BodyHashes {
    return { md5: this.#md5.digest(), ...(this.#digest && { checksum: this.#digest.digest() }) }
  }
}

/** Counts and hashes a body on its way into a store, and compares it with what is expected. */
export class BodyCheck {
  readonly #expected: ExpectedBytes
  readonly #maxBytes: number
  #hash: BodyHash | undefined
  #sizeBytes = 0

  constructor(expected: ExpectedBytes, maxBytes: number) {
    this.#expected = expected
    this.#maxBytes = maxBytes
  }

  get algorithm(): ChecksumAlgorithm | undefined {
    return this.#expected.checksum?.algorithm
  }

  /** @throws as `count` does */
  update(bytes: Uint8Array): void {
    this.count(bytes)
    this.#hash ??= new BodyHash(this.algorithm)
    this.#hash.update(bytes)
  }

  /**
   * Of bytes that the caller hashes itself.
   * @throws SiltstoneError `invalid` (too-large, incomplete-body) as soon as there are too many bytes
   */
  count(bytes: Uint8Array): void {
    this.#sizeBytes += bytes.length
    if (this.#sizeBytes > this.#maxBytes)
      throw invalid('too-large', `The body has more than ${this.#maxBytes} bytes: upload it in parts.`)
    const { sizeBytes } = this.#expected
    if (sizeBytes !== undefined && this.#sizeBytes > sizeBytes)
      throw invalid('incomplete-body', `The body has more than the ${sizeBytes} bytes that were announced.`)
  }

  /**
   * @param hashes of bytes that were counted alone
   * @throws SiltstoneError `invalid` (incomplete-body, bad-digest) when the bytes are not the expected ones
   */
  finish(hashes?: BodyHashes): ReceivedBytes {
    const { sizeBytes, md5, checksum } = this.#expected
    if (sizeBytes !== undefined && this.#sizeBytes !== sizeBytes)
      throw invalid('incomplete-body', `The body ended after ${this.#sizeBytes} of ${sizeBytes} bytes.`)
    const made = hashes ?? (this.#hash ?? new BodyHash(this.algorithm)).digest()
    if (md5 !== undefined && base64(made.md5) !== md5)
      throw invalid('bad-digest', `The MD5 of the body is ${base64(made.md5)}, not ${md5} as expected.`)
    const received = { sizeBytes: this.#sizeBytes, md5: Buffer.from(made.md5).toString('hex') }
    if (checksum === undefined || made.checksum === undefined) return received
    const value = base64(made.checksum)
    const expected = checksum.expected?.()
    if (expected !== undefined && expected !== value)
      throw invalid('bad-digest', `The ${checksum.algorithm} of the body is ${value}, not ${expected} as expected.`)
    return { ...received, checksum: { algorithm: checksum.algorithm, value } }
  }
}

export async function* chunksOf(body: BlobBody): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body
  else yield* body
}

export interface PartSums {
  sizeBytes: number
  /** As in the ETag of the part, hexadecimal. */
  md5: string
  checksum?: string
}

/** S3's ETag of an object in parts: the MD5 of the parts' MD5s and their number. */
export function partsEtag(parts: readonly PartSums[]): string {
  const hash = createHash('md5')
  for (const { md5 } of parts) hash.update(Buffer.from(md5, 'hex'))
  return `"${hash.digest('hex')}-${parts.length}"`
}

/** S3's default: only CRC64NVME is of the whole object, the others are of the parts. */
export function defaultChecksumType(algorithm: ChecksumAlgorithm): ChecksumType {
  return algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE'
}

const CRCS = { CRC32, CRC32C, CRC64NVME }

/** @throws SiltstoneError `invalid` (bad-checksum-type) */
export function checkChecksumType(algorithm: ChecksumAlgorithm, type: ChecksumType): void {
  if (type === 'COMPOSITE' ? algorithm !== 'CRC64NVME' : algorithm in CRCS) return
  throw invalid('bad-checksum-type', `${algorithm} cannot be of the type ${type} for an object in parts.`, {
    field: 'checksumType',
  })
}

/** The checksum of an object in parts; undefined if a part has none. */
export function partsChecksum(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartSums[],
): string | undefined {
  const values = parts.map(({ checksum }) => checksum)
  if (values.some((value) => value === undefined)) return undefined
  const raw = values.map((value) => Buffer.from(value as string, 'base64'))
  if (type === 'COMPOSITE') return `${checksumOf(algorithm, Buffer.concat(raw))}-${parts.length}`
  const parameters = CRCS[algorithm as keyof typeof CRCS]
  const [first = 0n, ...rest] = raw.map((bytes) => BigInt(`0x${bytes.toString('hex')}`))
  let crc = first
  for (const [at, next] of rest.entries()) crc = combineCrc(parameters, crc, next, parts[at + 1]?.sizeBytes ?? 0)
  return Buffer.from(crc.toString(16).padStart(parameters.bits / 4, '0'), 'hex').toString('base64')
}
