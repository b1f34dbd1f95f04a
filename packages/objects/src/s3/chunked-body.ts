/**
 * `aws-chunked`: a body in chunks of `<hex length>[;chunk-signature=…]`, its bytes, and after the last, empty chunk a
 * trailer of headers. A chunk is handed on before its signature is complete; the signatures form a chain that is checked
 * before the body ends, and until then nothing is visible.
 */
import { hmac, scopeText, sha256Hex } from 'siltstone/internal'
import { createHash } from 'node:crypto'
import type { Authenticated } from './authenticate.ts'
import { sameText } from './authenticate.ts'
import { ByteReader } from './byte-reader.ts'
import { S3Error } from './s3-error.ts'

const SIGNED = /^STREAMING-AWS4-HMAC-SHA256-PAYLOAD(?:-TRAILER)?$/
const FORMS = [
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
]
const MAX_TRAILERS = 20

export const isChunked = (payload: string): boolean => payload.startsWith('STREAMING-')

export interface ChunkedBody {
  bytes: AsyncIterable<Uint8Array>
  /** Names in lower case; complete when `bytes` has ended. */
  trailers: ReadonlyMap<string, string>
}

/** @throws S3Error NotImplemented; reading `bytes` throws IncompleteBody, InvalidRequest, SignatureDoesNotMatch */
export function chunkedBody(source: AsyncIterable<Uint8Array>, auth: Authenticated): ChunkedBody {
  if (!FORMS.includes(auth.payload))
    throw new S3Error('NotImplemented', `x-amz-content-sha256 ${auth.payload} is not supported.`)
  const trailers = new Map<string, string>()
  const chain = SIGNED.test(auth.payload) ? new SignatureChain(auth) : undefined
  return {
    trailers,
    bytes: decode(new ByteReader(source), chain, auth.payload.endsWith('-TRAILER') ? trailers : undefined),
  }
}

async function* decode(
  reader: ByteReader,
  chain: SignatureChain | undefined,
  trailers: Map<string, string> | undefined,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const line = await reader.line()
    if (line === undefined) throw new S3Error('IncompleteBody', 'The body ended before its last chunk.')
    const [length = '', ...extensions] = line.split(';')
    if (!/^[0-9a-f]{1,12}$/i.test(length.trim())) throw malformed('a chunk has no length')
    const size = Number.parseInt(length, 16)
    const signature = extensions.map((one) => /^chunk-signature=([0-9a-f]{64})$/.exec(one.trim())?.[1]).find(Boolean)
    const hash = chain && createHash('sha256')
    if (size > 0) {
      const pieces = reader.take(size)
      for (let piece = await pieces.next(); ; piece = await pieces.next()) {
        if (piece.done === true) {
          if (piece.value > 0) throw new S3Error('IncompleteBody', `A chunk ended ${piece.value} bytes early.`)
          break
        }
        hash?.update(piece.value)
        yield piece.value
      }
      if ((await reader.line(0)) !== '') throw malformed('a chunk is longer than it says')
    }
    if (chain && hash) chain.checkChunk(hash.digest('hex'), signature)
    if (size > 0) continue
    await readTrailers(reader, chain, trailers)
    return
  }
}

async function readTrailers(
  reader: ByteReader,
  chain: SignatureChain | undefined,
  trailers: Map<string, string> | undefined,
): Promise<void> {
  let signed = ''
  let signature: string | undefined
  for (let count = 0; ; count++) {
    const line = await reader.line()
    if (line === undefined || line === '') break
    if (count > MAX_TRAILERS) throw malformed('it has too many trailers')
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'x-amz-trailer-signature') signature = value
    else {
      signed += `${name}:${value}\n`
      trailers?.set(name, value)
    }
  }
  if (trailers && chain) chain.checkTrailer(signed, signature)
}

class SignatureChain {
  readonly #auth: Authenticated
  #before: string

  constructor(auth: Authenticated) {
    this.#auth = auth
    this.#before = auth.signature
  }

  checkChunk(hash: string, signature: string | undefined): void {
    this.#check('AWS4-HMAC-SHA256-PAYLOAD', [sha256Hex(''), hash], signature)
  }

  checkTrailer(text: string, signature: string | undefined): void {
    this.#check('AWS4-HMAC-SHA256-TRAILER', [sha256Hex(text)], signature)
  }

  #check(kind: string, hashes: readonly string[], signature: string | undefined): void {
    const { signingKey, amzDate, scope } = this.#auth
    const text = [kind, amzDate, scopeText(scope), this.#before, ...hashes].join('\n')
    const expected = hmac(signingKey, text).toString('hex')
    if (signature === undefined || !sameText(expected, signature))
      throw new S3Error('SignatureDoesNotMatch', 'The signature of a chunk does not match its bytes.')
    this.#before = expected
  }
}

function malformed(problem: string): S3Error {
  return new S3Error('InvalidRequest', `The aws-chunked body cannot be read: ${problem}.`)
}
