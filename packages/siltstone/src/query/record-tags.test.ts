import { expect, it } from 'vitest'
import type { ChangedRecord } from '../log/log-overlay.ts'
import { RecordTags } from './record-tags.ts'

it('numbers the rows of all segments, then other records', () => {
  const tags = new RecordTags()
  expect([tags.addSegment(10), tags.addSegment(0), tags.addSegment(5)]).toEqual([0, 10, 10])
  const changed = { id: 'a' } as ChangedRecord
  expect(tags.addRecord({ changed })).toBe(15)
  expect(tags.ref(15)).toEqual({ changed })
  expect(tags.ref(9)).toEqual({ changed: null, row: { segment: 0, row: 9 } })
  expect(tags.ref(14)).toEqual({ changed: null, row: { segment: 2, row: 4 } })
  expect(tags.bySegment([12, 3, 10, 0])).toEqual([
    { segment: 2, firstTag: 10, rows: [0, 2] },
    { segment: 0, firstTag: 0, rows: [0, 3] },
  ])
})
