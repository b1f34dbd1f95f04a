import { describe, expect, it } from 'vitest'
import type { SequencedDelta } from '../format/entry.ts'
import { objectOf } from './mention.ts'

const mention: SequencedDelta = { key: 'delta/c/inbox/1.arrow', etag: 'e', sizeBytes: 1 }

describe('the object that a mention needs', () => {
  it('is the copy that was taken, or else the delta in the inbox', () => {
    expect(objectOf(mention)).toBe(mention.key)
    expect(objectOf({ ...mention, taken: { key: 'snapshot/c/taken/1', crc32: '0' } })).toBe('snapshot/c/taken/1')
  })

  it('is none when the entry holds the records, or why the delta was refused', () => {
    expect(objectOf({ ...mention, records: [] })).toBeUndefined()
    expect(objectOf({ ...mention, refused: 'too large' })).toBeUndefined()
  })
})
