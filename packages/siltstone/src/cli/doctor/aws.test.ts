import { describe, expect, it } from 'vitest'
import { unavailable } from '../../errors.ts'
import type { AwsFacts } from '../../drivers/aws/inspect.ts'
import { parseS3Place } from '../../drivers/aws/s3-place.ts'
import { checksOf } from './aws.ts'

const place = parseS3Place('s3://bucket/store', {})
const cleanUp = {
  Status: 'Enabled' as const,
  ID: 'clean',
  Filter: { Prefix: '' },
  AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
  NoncurrentVersionExpiration: { NoncurrentDays: 30 },
}
const good: AwsFacts = {
  place,
  bucket: { value: true },
  conditions: { value: undefined },
  skewMs: { value: 300 },
  versioning: { value: 'Enabled' },
  lifecycle: { value: [cleanUp] },
  notifies: { value: true },
  queue: {
    value: {
      arn: 'arn:aws:sqs:us-east-1:111122223333:q',
      visibilityS: 900,
      retentionS: 345_600,
      maxReceiveCount: 5,
      isFifo: false,
    },
  },
  table: { value: { hasTimeToLive: false } },
}
const found = (facts: Partial<AwsFacts>) =>
  checksOf({ ...good, ...facts })
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ name, verdict }) => `${verdict} ${name}`)
const rule = (more: object) => ({ Status: 'Enabled' as const, ID: 'x', Filter: { Prefix: '' }, ...more })
const withRule = (more: object) => found({ lifecycle: { value: [cleanUp, rule(more)] } })

describe('doctor on AWS', () => {
  it('has nothing to say about a good setup, also without queue and table', () => {
    expect(found({})).toEqual([])
    const { queue, table, notifies, ...rest } = good
    expect([queue, table, notifies]).not.toContain(undefined)
    expect(checksOf(rest).filter(({ verdict }) => verdict !== 'ok')).toEqual([])
  })

  it('fails where nothing works, and warns of what may not be looked at', () => {
    const error = unavailable('access-denied', 'no')
    expect(found({ bucket: { error } })).toEqual(['fail bucket'])
    expect(found({ table: { error } })).toEqual(['fail lock table'])
    expect(found({ queue: { error } })).toEqual(['fail queue settings'])
    expect(found({ versioning: { error }, lifecycle: { error }, conditions: { error } })).toEqual([
      'warn conditional puts',
      'warn versioning',
      'warn lifecycle',
    ])
  })

  it('tells of ignored conditions, skewed clocks and missing versions', () => {
    expect(found({ conditions: { value: 'two won' } })).toEqual(['fail conditional puts'])
    expect(found({ skewMs: { value: -60_000 } })).toEqual(['warn clock'])
    expect(found({ versioning: { value: 'off' } })).toEqual(['warn versioning'])
  })

  it('tells of lifecycle rules that take what is needed', () => {
    expect(withRule({ Expiration: { Days: 90 } })).toEqual(['fail lifecycle'])
    expect(withRule({ Filter: { Prefix: 'store/snapshot/' }, Expiration: { Days: 90 } })).toEqual(['fail lifecycle'])
    expect(withRule({ Filter: { Prefix: 'store/delta/' }, Expiration: { Days: 1 } })).toEqual(['warn lifecycle'])
    expect(withRule({ Transitions: [{ Days: 90, StorageClass: 'GLACIER' }] })).toEqual(['fail lifecycle'])
  })

  it('lets rules be that take nothing of the store', () => {
    expect(withRule({ Filter: { Prefix: 'other/' }, Expiration: { Days: 1 } })).toEqual([])
    expect(withRule({ Filter: { Prefix: 'store/delta/' }, Expiration: { Days: 7 } })).toEqual([])
    expect(withRule({ Filter: { Tag: { Key: 'siltstone', Value: 'collected' } }, Expiration: { Days: 1 } })).toEqual([])
    expect(withRule({ Status: 'Disabled', Expiration: { Days: 1 } })).toEqual([])
    expect(withRule({ Transitions: [{ Days: 30, StorageClass: 'GLACIER_IR' }] })).toEqual([])
  })

  it('misses rules that clean up', () => {
    expect(found({ lifecycle: { value: [] } })).toEqual(['warn lifecycle', 'warn lifecycle'])
    expect(found({ lifecycle: { value: [] }, versioning: { value: 'off' } })).toEqual([
      'warn versioning',
      'warn lifecycle',
    ])
  })

  it('looks at the queue and the table', () => {
    const queue = { arn: 'arn', visibilityS: 900, retentionS: 345_600, maxReceiveCount: 5, isFifo: false }
    expect(found({ queue: { value: { ...queue, isFifo: true } } })).toEqual(['fail queue settings'])
    expect(found({ queue: { value: { ...queue, maxReceiveCount: undefined } } })).toEqual(['warn queue settings'])
    expect(found({ queue: { value: { ...queue, visibilityS: 30 } } })).toEqual(['warn queue settings'])
    expect(found({ table: { value: { hasTimeToLive: true } } })).toEqual(['warn lock table'])
  })
})
