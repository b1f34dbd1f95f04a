import fc from 'fast-check'
import { hmac, scopeText, sha256Hex, signingKey } from 'siltstone/internal'
import { expect, it } from 'vitest'
import type { Authenticated } from './authenticate.ts'
import { chunkedBody } from './chunked-body.ts'

const scope = { date: '20130524', region: 'us-east-1', service: 's3' }
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const auth = (payload: string): Authenticated => ({
  key: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey },
  signingKey: signingKey(secretAccessKey, scope),
  scope,
  amzDate: '20130524T000000Z',
  signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  payload,
})

/** @param cut how many bytes arrive at a time */
async function* arriving(bytes: Buffer, cut: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut)
}

async function decoded(bytes: Buffer, payload: string, cut = 1_000) {
  const body = chunkedBody(arriving(bytes, cut), auth(payload))
  const chunks: Uint8Array[] = []
  for await (const chunk of body.bytes) chunks.push(chunk)
  return { bytes: Buffer.concat(chunks), trailers: Object.fromEntries(body.trailers) }
}

/** The example of AWS's documentation: 65,536 and 1,024 bytes. */
const SIGNATURES = [
  'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
  '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
  'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
]
const signed = (second = 'a', signatures = SIGNATURES) =>
  Buffer.from(
    `10000;chunk-signature=${signatures[0]}\r\n${'a'.repeat(65_536)}\r\n` +
      `400;chunk-signature=${signatures[1]}\r\n${second.repeat(1_024)}\r\n` +
      `0;chunk-signature=${signatures[2]}\r\n\r\n`,
  )
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'

it('takes signed chunks as AWS documents them', async () => {
  const { bytes } = await decoded(signed(), SIGNED)
  expect(bytes.equals(Buffer.alloc(66_560, 'a'))).toBe(true)
})

it('refuses a changed chunk, a wrong end and a missing signature', async () => {
  const refused = { code: 'SignatureDoesNotMatch' }
  await expect(decoded(signed('b'), SIGNED)).rejects.toMatchObject(refused)
  const [first = '', second = ''] = SIGNATURES
  await expect(decoded(signed('a', [first, second, second]), SIGNED)).rejects.toMatchObject(refused)
  await expect(decoded(Buffer.from('1\r\na\r\n0\r\n\r\n'), SIGNED)).rejects.toMatchObject(refused)
})

it('refuses a body that ends early, also at the border of a chunk', async () => {
  const whole = signed()
  for (const length of [0, 5, 90, 1_000, 65_536 + 86, whole.length - 100])
    await expect(decoded(whole.subarray(0, length), SIGNED)).rejects.toMatchObject({
      code: expect.stringMatching(/Incomplete|Invalid/) as string,
    })
})

it('checks the signature of trailers', async () => {
  const chunk = hmacOf('AWS4-HMAC-SHA256-PAYLOAD', auth('').signature, [sha256Hex(''), sha256Hex('abc')])
  const end = hmacOf('AWS4-HMAC-SHA256-PAYLOAD', chunk, [sha256Hex(''), sha256Hex('')])
  const trailer = 'x-amz-checksum-crc32:NSRBwg=='
  const last = hmacOf('AWS4-HMAC-SHA256-TRAILER', end, [sha256Hex(`${trailer}\n`)])
  const text = (sum: string) =>
    `3;chunk-signature=${chunk}\r\nabc\r\n0;chunk-signature=${end}\r\n${sum}\r\nx-amz-trailer-signature:${last}\r\n\r\n`
  const got = await decoded(Buffer.from(text(trailer)), `${SIGNED}-TRAILER`, 7)
  expect([got.bytes.toString(), got.trailers]).toEqual(['abc', { 'x-amz-checksum-crc32': 'NSRBwg==' }])
  const other = decoded(Buffer.from(text('x-amz-checksum-crc32:AAAAAA==')), `${SIGNED}-TRAILER`)
  await expect(other).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' })
})

function hmacOf(kind: string, before: string, hashes: readonly string[]): string {
  const { signingKey: key, amzDate } = auth('')
  return hmac(key, [kind, amzDate, scopeText(scope), before, ...hashes].join('\n')).toString('hex')
}

it('gives back any bytes, however they were cut on the way', async () => {
  const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 1, max: 50 }), async (chunks, cut) => {
      const pieces = chunks.flatMap((one) => [Buffer.from(`${one.length.toString(16)}\r\n`), one, Buffer.from('\r\n')])
      const body = Buffer.concat([...pieces, Buffer.from('0\r\nx-amz-checksum-crc32:AA==\r\n\r\n')])
      const got = await decoded(body, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', cut)
      expect(got.bytes.equals(Buffer.concat(chunks))).toBe(true)
      expect(got.trailers).toEqual({ 'x-amz-checksum-crc32': 'AA==' })
    }),
    { numRuns: 50 },
  )
})

it('refuses what is not aws-chunked', async () => {
  for (const text of ['zz\r\n', '5\r\nabc', '3\r\nabcd\r\n0\r\n\r\n', '-1\r\n', 'ffffffffffffffffff\r\n'])
    await expect(decoded(Buffer.from(text), 'STREAMING-UNSIGNED-PAYLOAD-TRAILER')).rejects.toMatchObject({
      code: expect.stringMatching(/Invalid|Incomplete/) as string,
    })
  expect(() => chunkedBody(arriving(Buffer.alloc(0), 1), auth('STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD'))).toThrow(
    'not supported',
  )
})
