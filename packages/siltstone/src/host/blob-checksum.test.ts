import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChecksumAlgorithm } from '../ports/blob-store.ts'
import { BodyCheck, checksumOf, partsChecksum, partsEtag } from './blob-checksum.ts'

const CHECK_TEXT = new TextEncoder().encode('123456789')

describe('checksums of blobs', () => {
  it('are those of the published check text', () => {
    const hex = (algorithm: ChecksumAlgorithm) =>
      Buffer.from(checksumOf(algorithm, CHECK_TEXT), 'base64').toString('hex')
    expect(hex('CRC32')).toBe('cbf43926')
    expect(hex('CRC32C')).toBe('e3069283')
    expect(hex('CRC64NVME')).toBe('ae8b14860a799888')
    expect(hex('SHA1')).toBe('f7c3bc1d808e04732adf679965ccc34ca7ae3441')
    expect(hex('SHA256')).toBe('15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225')
  })

  it('of a whole object follow from those of its parts', () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(parts, fc.constantFrom('CRC32', 'CRC32C', 'CRC64NVME'), (bodies, algorithm) => {
        const sums = bodies.map((body) => ({ sizeBytes: body.length, md5: '', checksum: checksumOf(algorithm, body) }))
        expect(partsChecksum(algorithm, 'FULL_OBJECT', sums)).toBe(checksumOf(algorithm, Buffer.concat(bodies)))
      }),
    )
  })

  it('do not depend on how a body is cut', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 })
    fc.assert(
      fc.property(pieces, fc.constantFrom('CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'), (bodies, algorithm) => {
        const check = new BodyCheck({ checksum: { algorithm } }, 1e9)
        for (const body of bodies) check.update(body)
        expect(check.finish().checksum?.value).toBe(checksumOf(algorithm, Buffer.concat(bodies)))
      }),
    )
  })

  it('of parts are S3’s composite form', () => {
    const body = new Uint8Array(3)
    const part = { sizeBytes: 3, md5: '00'.repeat(16), checksum: checksumOf('SHA256', body) }
    const joined = Buffer.concat([part, part].map(({ checksum }) => Buffer.from(checksum, 'base64')))
    expect(partsChecksum('SHA256', 'COMPOSITE', [part, part])).toBe(`${checksumOf('SHA256', joined)}-2`)
    expect(partsEtag([part, part])).toMatch(/^"[0-9a-f]{32}-2"$/)
    expect(partsChecksum('SHA256', 'COMPOSITE', [part, { sizeBytes: 1, md5: '' }])).toBeUndefined()
  })

  it('refuse what is not as expected', () => {
    const finish = (expected: ConstructorParameters<typeof BodyCheck>[0]) => () => {
      const check = new BodyCheck(expected, 100)
      check.update(CHECK_TEXT)
      return check.finish()
    }
    expect(finish({ sizeBytes: 10 })).toThrow('ended after 9 of 10')
    expect(finish({ sizeBytes: 8 })).toThrow('more than the 8')
    expect(finish({ md5: 'AAAA' })).toThrow('MD5')
    const sha256 = '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'
    expect(finish({ sha256: '00' })).toThrow(sha256)
    expect(finish({ sha256 })().checksum).toBeUndefined()
    expect(finish({ sha256, checksum: { algorithm: 'SHA256', expected: () => 'AAAA' } })).toThrow('not AAAA')
    expect(finish({ sha256: '00', checksum: { algorithm: 'CRC32' } })).toThrow('which was signed')
    expect(finish({ checksum: { algorithm: 'CRC32', expected: () => 'AAAAAA==' } })).toThrow('y/Q5Jg==')
    expect(finish({ checksum: { algorithm: 'CRC32', expected: () => undefined } })().checksum?.value).toBe('y/Q5Jg==')
    expect(() => new BodyCheck({}, 5).update(CHECK_TEXT)).toThrow('more than 5 bytes')
  })
})
