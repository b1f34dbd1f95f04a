/** Checksums of S3 over streams, and of objects in parts. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { invalid } from '../errors.ts'
import type { BlobBody, ChecksumAlgorithm, ChecksumType, ExpectedBytes } from '../ports/blob-store.ts'
import { combineCrc, CRC32, CRC32C, crc32c, CRC64NVME, crc64Nvme } from './crc.ts'

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
      return crc64Nvme()
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

const hex = (bytes: Uint8Array = new Uint8Array(0)): string => Buffer.from(bytes).toString('hex')
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

/** What is computed of a body beside its MD5. */
export interface WantedHashes {
  checksum?: ChecksumAlgorithm
  /** To compare with the SHA-256 that was signed. */
  sha256?: boolean
}

export interface BodyHashes {
  md5: Uint8Array
  /** In the algorithm that was asked for. */
  checksum?: Uint8Array
  sha256?: Uint8Array
}

/** The MD5 of a body, and what else was asked for; each algorithm sees the bytes once. */
export class BodyHash {
  readonly #wanted: WantedHashes
  readonly #md5 = createHash('md5')
  readonly #others = new Map<ChecksumAlgorithm, Digest>()

  constructor(wanted: WantedHashes = {}) {
    this.#wanted = wanted
    for (const algorithm of [wanted.checksum, wanted.sha256 === true ? ('SHA256' as const) : undefined])
      if (algorithm !== undefined && !this.#others.has(algorithm)) this.#others.set(algorithm, digestOf(algorithm))
  }

  update(bytes: Uint8Array): void {
    this.#md5.update(bytes)
    for (const digest of this.#others.values()) digest.update(bytes)
  }

  /** Called once. */
  digest(): BodyHashes {
    const { checksum, sha256 } = this.#wanted
    const made = new Map([...this.#others].map(([algorithm, digest]) => [algorithm, digest.digest()]))
    const [sum, signed] = [checksum && made.get(checksum), sha256 === true ? made.get('SHA256') : undefined]
    return { md5: this.#md5.digest(), ...(sum && { checksum: sum }), ...(signed && { sha256: signed }) }
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

  get wanted(): WantedHashes {
    const { checksum, sha256 } = this.#expected
    return { ...(checksum && { checksum: checksum.algorithm }), ...(sha256 !== undefined && { sha256: true }) }
  }

  /** @throws as `count` does */
  update(bytes: Uint8Array): void {
    this.count(bytes)
    this.#hash ??= new BodyHash(this.wanted)
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
   * @throws SiltstoneError `invalid` (incomplete-body, bad-digest, bad-sha256) when the bytes are not the expected ones
   */
  finish(hashes?: BodyHashes): ReceivedBytes {
    const { sizeBytes, md5, sha256, checksum } = this.#expected
    if (sizeBytes !== undefined && this.#sizeBytes !== sizeBytes)
      throw invalid('incomplete-body', `The body ended after ${this.#sizeBytes} of ${sizeBytes} bytes.`)
    const made = hashes ?? (this.#hash ?? new BodyHash(this.wanted)).digest()
    if (md5 !== undefined && base64(made.md5) !== md5)
      throw invalid('bad-digest', `The MD5 of the body is ${base64(made.md5)}, not ${md5} as expected.`)
    if (sha256 !== undefined && hex(made.sha256) !== sha256)
      throw invalid('bad-sha256', `The SHA-256 of the body is ${hex(made.sha256)}, not ${sha256}, which was signed.`)
    const received = { sizeBytes: this.#sizeBytes, md5: hex(made.md5) }
    if (checksum === undefined || made.checksum === undefined) return received
    const value = base64(made.checksum)
    const expected = checksum.expected?.()
    if (expected !== undefined && expected !== value)
      throw invalid('bad-digest', `The ${checksum.algorithm} of the body is ${value}, not ${expected} as expected.`)
    return { ...received, checksum: { algorithm: checksum.algorithm, value } }
  }
}

export function chunksOf(body: BlobBody): AsyncIterable<Uint8Array> {
  return body instanceof Uint8Array ? only(body) : body
}

async function* only(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk
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
