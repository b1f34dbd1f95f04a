import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedObjects, changeEvent } from './events.ts'

const record = (bucket: string, key: string) => ({
  eventName: 'ObjectCreated:Put',
  s3: { bucket: { name: bucket }, object: { key } },
})

describe('messages about objects', () => {
  it('name all objects of a notification, with decoded keys', () => {
    const body = JSON.stringify({ Records: [record('media', 'up/a+b%2B%C3%BC.mp4'), record('other', 'x')] })
    expect(changedObjects(body)).toEqual([
      { bucket: 'media', key: 'up/a b+ü.mp4' },
      { bucket: 'other', key: 'x' },
    ])
  })

  it('come from EventBridge with plain keys, and through SNS', () => {
    const event = { source: 'aws.s3', detail: { bucket: { name: 'media' }, object: { key: 'a+b%20.txt' } } }
    expect(changedObjects(JSON.stringify(event))).toEqual([{ bucket: 'media', key: 'a+b%20.txt' }])
    const wrapped = JSON.stringify({ Type: 'Notification', Message: JSON.stringify({ Records: [record('m', 'k')] }) })
    expect(changedObjects(wrapped)).toEqual([{ bucket: 'm', key: 'k' }])
  })

  it('say how an object ended, which a message about something else does not', () => {
    const named = (eventName: string) => JSON.stringify({ Records: [{ ...record('m', 'k'), eventName }] })
    const detail = { bucket: { name: 'm' }, object: { key: 'k' } }
    const bridged = (reason: string) =>
      JSON.stringify({ 'detail-type': 'Object Deleted', detail: { ...detail, reason } })
    const deleted = (body: string) => changedObjects(body).map((one) => one.deleted)
    expect(
      ['ObjectRemoved:Delete', 's3:ObjectRemoved:DeleteMarkerCreated'].flatMap((name) => deleted(named(name))),
    ).toEqual(['removed', 'removed'])
    expect(deleted(named('s3:LifecycleExpiration:Delete'))).toEqual(['expired'])
    expect([bridged('DeleteObject'), bridged('Lifecycle Expiration')].flatMap(deleted)).toEqual(['removed', 'expired'])
    expect(deleted(named('ObjectCreated:Put'))).toEqual([undefined])
    for (const end of ['removed', 'expired'] as const)
      expect(deleted(changeEvent({ bucket: 'm', key: 'k', deleted: end }))).toEqual([end])
  })

  it('may be the test of S3, and are refused otherwise', () => {
    expect(changedObjects('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"media"}')).toEqual([])
    for (const body of ['', 'x', '[]', '{}', '{"Records":[{}]}', JSON.stringify({ Records: [record('m', '%zz')] })])
      expect(() => changedObjects(body)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'bad-event' }))
  })

  it('are made for any key', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (key) => {
        expect(changedObjects(changeEvent({ bucket: 'b', key }))).toEqual([{ bucket: 'b', key }])
      }),
    )
  })
})
