/** The body of a request as the blob port wants it: decoded, with what it is expected to be. */
import { UNSIGNED_PAYLOAD } from 'siltstone/internal'
import { BodyCheck, CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, type ExpectedBytes } from 'siltstone/internal'
import type { Authenticated } from './authenticate.ts'
import { chunkedBody, isChunked } from './chunked-body.ts'
import { S3Error } from './s3-error.ts'
import { header, incomingBytes, type S3Request } from './s3-request.ts'

export interface ReceivedBody {
  bytes: AsyncIterable<Uint8Array>
  expected: ExpectedBytes
}

export const checksumHeader = (algorithm: ChecksumAlgorithm): string => `x-amz-checksum-${algorithm.toLowerCase()}`

/** @throws S3Error MissingContentLength, InvalidArgument, InvalidDigest, InvalidRequest, NotImplemented */
export function requestBody(request: S3Request, auth: Authenticated): ReceivedBody {
  const source = incomingBytes(request)
  const md5 = header(request, 'content-md5')
  if (md5 !== undefined && Buffer.from(md5, 'base64').length !== 16)
    throw new S3Error('InvalidDigest', 'Content-MD5 is not the base64 of an MD5.')
  const chunked = isChunked(auth.payload)
  const sizeText = header(request, chunked ? 'x-amz-decoded-content-length' : 'content-length')
  if (sizeText === undefined && (chunked || header(request, 'transfer-encoding') !== undefined))
    throw new S3Error(
      'MissingContentLength',
      `The request needs ${chunked ? 'x-amz-decoded-content-length' : 'Content-Length'}.`,
    )
  const sizeBytes = sizeText === undefined ? 0 : Number(sizeText)
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw new S3Error('InvalidArgument', 'The length of the body is not a number of bytes.')
  const common = { sizeBytes, ...(md5 !== undefined && { md5 }) }
  if (!chunked) {
    const checksum = sentChecksum(request)
    return { bytes: source, expected: { ...common, ...signedHash(auth.payload), ...(checksum && { checksum }) } }
  }
  const { bytes, trailers } = chunkedBody(source, auth)
  const checksum = trailerChecksum(request, trailers) ?? sentChecksum(request)
  return { bytes, expected: { ...common, ...(checksum && { checksum }) } }
}

/** The checksum in a header, or an algorithm without a value. */
function sentChecksum(request: S3Request): ExpectedBytes['checksum'] {
  const sent = CHECKSUM_ALGORITHMS.filter((one) => header(request, checksumHeader(one)) !== undefined)
  if (sent.length > 1) throw new S3Error('InvalidRequest', 'Expecting a single x-amz-checksum- header.')
  const [algorithm] = sent
  if (algorithm !== undefined) {
    const value = header(request, checksumHeader(algorithm))
    return { algorithm, expected: () => value }
  }
  const asked = algorithmNamed(header(request, 'x-amz-sdk-checksum-algorithm'))
  return asked && { algorithm: asked }
}

function trailerChecksum(request: S3Request, trailers: ReadonlyMap<string, string>): ExpectedBytes['checksum'] {
  const announced = header(request, 'x-amz-trailer')?.trim().toLowerCase()
  if (announced === undefined) return undefined
  const algorithm = CHECKSUM_ALGORITHMS.find((one) => checksumHeader(one) === announced)
  if (algorithm === undefined)
    throw new S3Error('InvalidRequest', `The trailer ${announced} is not a checksum that this server knows.`)
  const expected = () => {
    const value = trailers.get(announced)
    if (value === undefined) throw new S3Error('InvalidRequest', `The announced trailer ${announced} did not come.`)
    return value
  }
  return { algorithm, expected }
}

/** @throws S3Error InvalidRequest for a name that S3 does not have */
export function algorithmNamed(name: string | undefined): ChecksumAlgorithm | undefined {
  if (name === undefined || name === '') return undefined
  const algorithm = CHECKSUM_ALGORITHMS.find((one) => one === name.toUpperCase())
  if (algorithm !== undefined) return algorithm
  throw new S3Error('InvalidRequest', `There is no checksum algorithm ${name}: use ${CHECKSUM_ALGORITHMS.join(', ')}.`)
}

/** The hash that was signed. @throws S3Error InvalidArgument */
function signedHash(payload: string): Pick<ExpectedBytes, 'sha256'> {
  if (payload === UNSIGNED_PAYLOAD) return {}
  if (/^[0-9a-f]{64}$/.test(payload)) return { sha256: payload }
  throw new S3Error('InvalidArgument', `x-amz-content-sha256 ${payload.slice(0, 80)} is not supported.`)
}

/** For a body that no store checks. */
export async function* checkedBytes(
  bytes: AsyncIterable<Uint8Array>,
  expected: ExpectedBytes,
): AsyncGenerator<Uint8Array> {
  const check = new BodyCheck(expected, Number.MAX_SAFE_INTEGER)
  for await (const chunk of bytes) {
    check.update(chunk)
    yield chunk
  }
  check.finish()
}

/** A small body as text. @throws S3Error MalformedXML when it is larger */
export async function bodyText(bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > maxBytes) throw new S3Error('MalformedXML', `The body has more than ${maxBytes} bytes.`)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks).toString('utf8')
}
