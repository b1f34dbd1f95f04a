/** The examples of AWS's documentation of Signature Version 4 for S3. */
import { expect, it } from 'vitest'
import { canonicalRequest, parseAmzDate, amzDateOf, requestSignature, sha256Hex, signingKey } from './aws-signature.ts'

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const scope = { date: '20130524', region: 'us-east-1', service: 's3' }
const AMZ_DATE = '20130524T000000Z'
const host = ['host', 'examplebucket.s3.amazonaws.com'] as const
const sign = (canonical: string) => requestSignature(signingKey(SECRET, scope), AMZ_DATE, scope, canonical)

it('signs a request with a header', () => {
  const payloadHash = sha256Hex('')
  const headers = [
    host,
    ['x-amz-date', AMZ_DATE],
    ['range', 'bytes=0-9'],
    ['x-amz-content-sha256', payloadHash],
  ] as const
  const canonical = canonicalRequest({ method: 'GET', path: '/test.txt', query: [], headers, payloadHash })
  expect(sign(canonical)).toBe('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41')
})

it('signs a request with a query', () => {
  const query = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'],
    ['X-Amz-Date', AMZ_DATE],
    ['X-Amz-Expires', '86400'],
    ['X-Amz-SignedHeaders', 'host'],
  ] as const
  const payloadHash = 'UNSIGNED-PAYLOAD'
  const canonical = canonicalRequest({ method: 'GET', path: '/test.txt', query, headers: [host], payloadHash })
  expect(sign(canonical)).toBe('aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404')
})

it('sorts and encodes a query', () => {
  const query = [
    ['prefix', 'J/ü +'],
    ['max-keys', '2'],
    ['acl', ''],
  ] as const
  const lines = canonicalRequest({ method: 'GET', path: '/a b/ü*', query, headers: [host], payloadHash: '' }).split(
    '\n',
  )
  expect(lines.slice(1, 3)).toEqual(['/a%20b/%C3%BC%2A', 'acl=&max-keys=2&prefix=J%2F%C3%BC%20%2B'])
})

it('reads and writes the times of signatures', () => {
  expect(amzDateOf(Date.UTC(2013, 4, 24, 1, 2, 3, 999))).toBe('20130524T010203Z')
  expect(parseAmzDate('20130524T010203Z')).toBe(Date.UTC(2013, 4, 24, 1, 2, 3))
  expect(parseAmzDate('2013-05-24T01:02:03Z')).toBeUndefined()
  expect(parseAmzDate('20131324T010203Z')).toBeUndefined()
})
