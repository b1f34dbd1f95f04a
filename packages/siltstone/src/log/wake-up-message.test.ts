import { describe, expect, it } from 'vitest'
import { collectionPath, inboxKey, logEntryKey, pointerKey } from '../format/keys.ts'
import { collectionsToWake, encodeWakeUp } from './wake-up-message.ts'

const path = collectionPath({
  tenant: 't',
  database: 'd',
  collectionId: '7a3bbd1c-92a3-4a2e-8f3c-6d0c7e9d3b11',
})
const notification = (...keys: string[]) =>
  JSON.stringify({ Records: keys.map((key) => ({ eventName: 'ObjectCreated:Put', s3: { object: { key } } })) })
const wakes = (body: string) => [...collectionsToWake(body)]

describe('collectionsToWake', () => {
  it('takes our own calls', () => {
    expect(wakes(encodeWakeUp({ collection: path, reason: 'entry', timestampMs: 1 }))).toEqual([path])
  })

  it('takes notifications of entries and deltas, at any prefix of the bucket', () => {
    const inbox = inboxKey(path, '01ARZ3NDEKTSV4RRFFQ69G5FAV')
    for (const root of ['', 'a/b/', 'delta/x/', 'a+b%20%C3%A9/']) {
      expect(wakes(notification(root + inbox, root + logEntryKey(path, 7)))).toEqual([path])
      expect(wakes(notification(root + pointerKey(path)))).toEqual([])
    }
  })

  it.each([
    '',
    'not JSON',
    'null',
    '[]',
    '{}',
    '{"Event":"s3:TestEvent"}',
    '{"Records":[{}]}',
    '{"Records":1}',
    '{"Records":[null]}',
    '{"Records":[{"s3":{"object":{"key":"%zz"}}}]}',
    '{"Records":[{"s3":{"object":{"key":5}}}]}',
  ])('passes over %j', (body) => expect(wakes(body)).toEqual([]))

  it('passes over calls for what is no collection', () => {
    expect(wakes(encodeWakeUp({ collection: '../../x', reason: 'entry', timestampMs: 1 }))).toEqual([])
  })
})
