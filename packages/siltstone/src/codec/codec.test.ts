import { expect, it } from 'vitest'
import * as chosen from '#codec'
import { codecContract } from './codec.contract.ts'
import * as node from './node.ts'
import * as portable from './portable.ts'

codecContract('node', node, { compresses: true })
codecContract('portable', portable, { compresses: false })

it('is the native one on Node', () => {
  expect(chosen.crc32).toBe(node.crc32)
})

it.each([
  ['all that may be there', 4_000],
  ['far less than may be there', 10_000_000],
])('keeps no more memory for decompressed bytes than they take, %s', (_, maxBytes) => {
  const bytes = Uint8Array.from({ length: 4_000 }, (__, i) => (i * i) % 251)
  const packed = node.zstdCompress(bytes)
  const memories = new Set<ArrayBufferLike>()
  for (let i = 0; i < 400; i++) memories.add(node.zstdDecompress(packed, maxBytes).buffer)
  const heldBytes = [...memories].reduce((sum, { byteLength }) => sum + byteLength, 0)
  expect(heldBytes).toBeLessThan(1.5 * 400 * bytes.length)
})

it('decompresses what is larger than the memory that is taken at a time', () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251)
  const packed = node.zstdCompress(bytes)
  for (const maxBytes of [bytes.length, bytes.length + 1, 2 ** 31])
    expect(Buffer.compare(node.zstdDecompress(packed, maxBytes), bytes)).toBe(0)
})
